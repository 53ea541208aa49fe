using Microsoft.Extensions.Options;

namespace PaymentPlatform.Query.Lookup;

/// <summary>Opens scans for the events of one transaction, over the files alone that the index can't rule out.</summary>
internal sealed class TransactionLookup(LookupIndex index, ArchiveFileCache cache, ArchiveEngine engine, QueryTelemetry telemetry, IOptions<QueryOptions> options, TimeProvider timeProvider)
{
    /// <summary>Finds the files and waits for a turn; the first read fetches them.</summary>
    /// <exception cref="EngineBusyException">Too many queries.</exception>
    public async Task<ArchiveScan> OpenAsync(string transactionId, CancellationToken cancellationToken)
    {
        var query = new ArchiveQuery { Kind = "lookup", Axis = TimeAxis.Arrival };
        query.Where("transaction_id = $id", "id", transactionId);
        var view = await index.FindAsync(transactionId, cancellationToken);
        telemetry.FilesScanned(view.Files.Count);
        var turn = await engine.EnterAsync(query.IsExport, cancellationToken);
        return new(query, view.Generation, ScanPlanner.PlanLookup(view.Files, options.Value), cache, engine, telemetry, timeProvider, turn, cancellationToken);
    }
}

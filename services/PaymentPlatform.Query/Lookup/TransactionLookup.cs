using Microsoft.Extensions.Options;

namespace PaymentPlatform.Query.Lookup;

/// <summary>Opens scans for the events of one transaction, over the files alone that the index can't rule out.</summary>
internal sealed class TransactionLookup(LookupIndex index, ArchiveFileCache cache, ArchiveEngine engine, QueryTelemetry telemetry, IOptions<QueryOptions> options, TimeProvider timeProvider)
{
    /// <summary>The files that may hold the transaction's events.</summary>
    public Task<ManifestView> FindAsync(string transactionId, CancellationToken cancellationToken) => index.FindAsync(transactionId, cancellationToken);

    /// <summary>Finds the files and waits for a turn; the first read fetches them.</summary>
    /// <param name="limit">Events at most; null: all.</param>
    /// <exception cref="EngineBusyException">Too many queries.</exception>
    public async Task<ArchiveScan> OpenAsync(string transactionId, CancellationToken cancellationToken, long? limit = null)
    {
        var query = new ArchiveQuery { Kind = "lookup", Axis = TimeAxis.Arrival, Limit = limit };
        query.Where("transaction_id = $id", "id", transactionId);
        var view = await FindAsync(transactionId, cancellationToken);
        telemetry.FilesScanned(view.Files.Count);
        var turn = await engine.EnterAsync(query.IsExport, cancellationToken);
        return new(query, view.Generation, ScanPlanner.PlanLookup(view.Files, options.Value), cache, engine, telemetry, timeProvider, turn, cancellationToken);
    }
}

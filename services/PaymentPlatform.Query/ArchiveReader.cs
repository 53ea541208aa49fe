using Microsoft.Extensions.Options;

namespace PaymentPlatform.Query;

/// <summary>Opens scans of the archive.</summary>
public sealed class ArchiveReader(ManifestReader manifest, ArchiveFileCache cache, ArchiveEngine engine, QueryTelemetry telemetry, IOptions<QueryOptions> options, TimeProvider timeProvider)
{
    /// <summary>Waits for a turn and looks up the files; the first read fetches them.</summary>
    /// <exception cref="EngineBusyException">Too many queries.</exception>
    public async Task<ArchiveScan> OpenAsync(ArchiveQuery query, CancellationToken cancellationToken)
    {
        var turn = await engine.EnterAsync(query.IsExport, cancellationToken);
        try
        {
            var from = query.After is { } after ? Math.Max(after.Time, query.From ?? long.MinValue) : query.From;
            var view = await manifest.FindAsync(query.Axis, from, query.To, query.After?.Generation, cancellationToken);
            telemetry.FilesScanned(view.Files.Count);
            var slices = ScanPlanner.Plan(view.Files, from, query.To, options.Value);
            return new(query, view.Generation, slices, cache, engine, telemetry, timeProvider, turn, cancellationToken);
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }
}

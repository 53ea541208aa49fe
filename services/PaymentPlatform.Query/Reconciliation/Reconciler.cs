namespace PaymentPlatform.Query.Reconciliation;

/// <summary>Compares what the platform keeps twice: manifest and blobs, ranges and checkpoints, archive and figures with dead letters.</summary>
public sealed class Reconciler
{
    private readonly BlobCheck _blobs;
    private readonly RangeCheck _ranges;
    private readonly CountCheck _counts;
    private readonly BlobManifest _manifest;
    private readonly TimeProvider _timeProvider;
    private readonly SemaphoreSlim _turn = new(1);

    internal Reconciler(BlobCheck blobs, RangeCheck ranges, CountCheck counts, BlobManifest manifest, TimeProvider timeProvider) =>
        (_blobs, _ranges, _counts, _manifest, _timeProvider) = (blobs, ranges, counts, manifest, timeProvider);

    /// <param name="progress">Gets a line now and then, from any thread.</param>
    /// <exception cref="ReconciliationBusyException">One runs in this process already.</exception>
    /// <exception cref="EngineBusyException">Too many queries.</exception>
    /// <exception cref="Exception">The database or the store does not answer.</exception>
    public async Task<ReconciliationReport> RunAsync(ReconciliationRequest request, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        if (!await _turn.WaitAsync(TimeSpan.Zero, cancellationToken))
            throw new ReconciliationBusyException();
        try
        {
            var started = _timeProvider.GetTimestamp();
            var run = new ReconciliationRun(request, progress);
            await _blobs.RunAsync(run, cancellationToken);
            await _ranges.RunAsync(run, cancellationToken);
            await _counts.RunAsync(run, cancellationToken);
            var damaged = run.DamagedFiles();
            var repairable = damaged.Count > 0 ? await _manifest.ListRepairableAsync(damaged, cancellationToken) : [];
            return run.Report(damaged.Distinct().ToDictionary(id => id, id => Repair(repairable.GetValueOrDefault(id))), _timeProvider.GetElapsedTime(started));
        }
        finally
        {
            _turn.Release();
        }
    }

    private static string Repair(bool isRepairable) => isRepairable
        ? "Its events are still to be had (from the stream, or from the files that it was merged of): ./platform reconcile --repair writes the file again."
        : "The stream no longer holds all of its events: restore the blob from a backup (undelete it, or promote the version before).";
}

using Npgsql;
using PaymentPlatform.Metrics.Deltas;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Metrics.Clusters;

/// <summary>Clusters windows whose samples changed, the oldest first and a bounded number at once; one process at a time.</summary>
internal sealed partial class ClusterRound(NpgsqlDataSource database, ILogger logger, int maxWindows = ClusterRound.DefaultWindows)
{
    public const int DefaultWindows = 100;

    private readonly ClusterTable _table = new(database);
    private long? _after;

    /// <returns>Windows computed, and whether others are waiting. Nothing when another process is at it.</returns>
    public async Task<(int Computed, bool More)> RunAsync(CancellationToken cancellationToken)
    {
        await using var turn = await AdvisoryLock.TryTakeAsync(database, AdvisoryLock.Clusterer, cancellationToken);
        if (turn is null)
            return (0, false);
        var samples = await _table.ListChangedAsync(_after, maxWindows, cancellationToken);
        var computed = 0;
        foreach (var sample in samples)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await ComputeAsync(sample, cancellationToken))
                computed++;
        }

        // A window that fails must not keep those behind it waiting: the next round goes on after this one, until all have had their turn.
        var more = samples.Count == maxWindows;
        _after = more ? samples[^1].WindowStart : null;
        return (computed, more);
    }

    private async Task<bool> ComputeAsync(ChangedSample changed, CancellationToken cancellationToken)
    {
        ClusterSample sample;
        IReadOnlyList<ClusterSummary> clusters;
        try
        {
            sample = ClusterSample.FromBytes(changed.Payload);
            clusters = ClusterFinder.Find(sample);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogFailed(logger, exception, DateTime.UnixEpoch.AddTicks(changed.WindowStart * TimeSpan.TicksPerMicrosecond));
            return false;
        }

        return await _table.ReplaceAsync(changed, sample.Items.Count, clusters, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The window at {WindowStart:u} can't be clustered: its old clusters stay, and it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception, DateTime windowStart);
}

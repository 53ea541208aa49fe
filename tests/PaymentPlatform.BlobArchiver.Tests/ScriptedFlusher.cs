using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>Ends each flush as told: at once with true unless an outcome is queued.</summary>
internal sealed class ScriptedFlusher(ActionLog log) : IArchiveFlusher
{
    private readonly Queue<Task<bool>> _outcomes = new();

    public int Concurrent { get; private set; }

    public ScriptedFlusher Then(Task<bool> outcome)
    {
        _outcomes.Enqueue(outcome);
        return this;
    }

    public async Task<bool> FlushAsync(ArchiveBuffer buffer, IReadOnlyCollection<OffsetRange> ranges, FlushReason reason, CancellationToken cancellationToken)
    {
        Assert.Equal(1, ++Concurrent);
        log.Add($"flush {buffer.Events.RowCount} {string.Join(' ', ranges.Select(r => $"{r.Partition.PartitionId}[{r.From},{r.To})"))} {reason}");
        var rows = buffer.Events.RowCount;
        var live = _outcomes.TryDequeue(out var outcome) ? await outcome.WaitAsync(cancellationToken) : true;
        Assert.Equal(rows, buffer.Events.RowCount);
        Concurrent--;
        log.Add(live ? "live" : "abandoned");
        return live;
    }
}

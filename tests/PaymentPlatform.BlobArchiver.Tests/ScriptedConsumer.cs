using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>Plays events at given times of a virtual clock, which moves only while somebody waits for one.</summary>
internal sealed class ScriptedConsumer(FakeTimeProvider clock, ActionLog log) : MessageConsumer
{
    private readonly Queue<(TimeSpan At, ConsumerEvent? Event, Action? Action)> _script = new();
    private readonly DateTimeOffset _start = clock.GetUtcNow();
    private readonly Queue<ConsumerEvent> _revoking = new();
    private readonly SortedSet<StreamPartition> _owned = [];
    private bool _stopping;

    /// <summary>Asks the loop to stop once the script is over.</summary>
    public CancellationTokenSource Stopping { get; } = new();

    public override bool IsStopped => _stopping && _owned.Count == 0;

    public ScriptedConsumer At(double seconds, ConsumerEvent e)
    {
        _script.Enqueue((TimeSpan.FromSeconds(seconds), e, null));
        return this;
    }

    public ScriptedConsumer At(double seconds, Action action)
    {
        _script.Enqueue((TimeSpan.FromSeconds(seconds), null, action));
        return this;
    }

    public override async ValueTask<ConsumerEvent?> ReadAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_stopping)
            return _revoking.TryDequeue(out var revoking) ? revoking : null;
        var now = clock.GetUtcNow() - _start;
        if (_script.TryPeek(out var next) && next.At <= now + timeout)
        {
            _script.Dequeue();
            if (next.At > now)
                clock.Advance(next.At - now);
            if (next.Event is null)
            {
                next.Action!();
                // What the action set free may run before the loop is asked again.
                await Task.Yield();
                return null;
            }

            if (next.Event is ConsumerEvent.Assigned(var assigned, _))
                _owned.Add(assigned);
            if (next.Event is ConsumerEvent.Lost(var lost))
                _owned.Remove(lost);
            return next.Event;
        }

        if (_script.Count == 0 && timeout >= TimeSpan.FromMinutes(1))
        {
            await Stopping.CancelAsync();
            return null;
        }

        clock.Advance(timeout);
        return null;
    }

    public override ValueTask RewindAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        log.Add($"rewind {partition.PartitionId}");
        return default;
    }

    public override ValueTask ReleaseAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        _owned.Remove(partition);
        log.Add($"release {partition.PartitionId}");
        return default;
    }

    public override void Stop()
    {
        log.Add("stop");
        _stopping = true;
        foreach (var partition in _owned)
            _revoking.Enqueue(new ConsumerEvent.Revoking(partition));
    }

    public override ValueTask DisposeAsync() => default;
}

using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Metrics.Tests;

/// <summary>
/// Reads a <see cref="TestLog"/> from the real checkpoints, and does on purpose, from a seed, what transports do at their worst: partitions are lost, revoked, assigned anew
/// while they are held, and owned by several consumers at once. Everything but the order of events is within the contract of <see cref="MessageConsumer"/>.
/// </summary>
internal sealed class ChaosConsumer(TestLog log, NpgsqlDataSource database, int seed, double chaos, int maxBatch = 40) : MessageConsumer
{
    private readonly Random _random = new(seed);
    private readonly Queue<ConsumerEvent> _events = new();
    private readonly Dictionary<StreamPartition, long> _owned = [];
    private readonly HashSet<StreamPartition> _revoking = [];
    private readonly HashSet<StreamPartition> _held = [];
    private bool _started;
    private bool _stopping;

    public int Upsets { get; private set; }

    public int Rewinds { get; private set; }

    public override bool IsStopped => _stopping && _owned.Count == 0;

    public override async ValueTask<ConsumerEvent?> ReadAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (!_started)
        {
            _started = true;
            foreach (var partition in log.Partitions)
                await AssignAsync(partition, cancellationToken);
        }

        if (_events.Count == 0 && !_stopping && _random.NextDouble() < chaos)
            await UpsetAsync(cancellationToken);
        if (_events.TryDequeue(out var next))
            return next;
        var readable = _owned.Keys.Where(p => !_revoking.Contains(p) && !_held.Contains(p) && !_stopping).Order().ToArray();
        _random.Shuffle(readable);
        foreach (var partition in readable)
        {
            if (log.Read(partition, _owned[partition], _random.Next(1, maxBatch)) is not { } batch)
                continue;
            _owned[partition] = batch.NextOffset;
            return new ConsumerEvent.Received(batch);
        }

        // Another owner may have gone on, or nobody: what is there to read depends on the checkpoints.
        await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(5, timeout.TotalMilliseconds)), cancellationToken);
        return null;
    }

    public override async ValueTask RewindAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        if (!_owned.ContainsKey(partition))
            return;
        Rewinds++;
        Forget(partition);
        await AssignAsync(partition, cancellationToken);
    }

    public override void Hold(StreamPartition partition) => _held.Add(partition);

    public override async ValueTask ReleaseAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        Assert.Contains(partition, _owned);
        Forget(partition);
        if (!_stopping)
            await AssignAsync(partition, cancellationToken);
    }

    public override void Stop()
    {
        _stopping = true;
        foreach (var partition in _owned.Keys.Where(_revoking.Add))
            _events.Enqueue(new ConsumerEvent.Revoking(partition));
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task UpsetAsync(CancellationToken cancellationToken)
    {
        var partition = _owned.Keys.Order().ElementAt(_random.Next(_owned.Count));
        if (_revoking.Contains(partition))
            return;
        Upsets++;
        switch (_random.Next(3))
        {
            case 0:
                _owned.Remove(partition);
                _events.Enqueue(new ConsumerEvent.Lost(partition));
                await AssignAsync(partition, cancellationToken);
                break;
            case 1:
                await AssignAsync(partition, cancellationToken);
                break;
            default:
                _revoking.Add(partition);
                _events.Enqueue(new ConsumerEvent.Revoking(partition));
                break;
        }
    }

    private void Forget(StreamPartition partition)
    {
        _owned.Remove(partition);
        _revoking.Remove(partition);
        var kept = _events.Where(e => e switch
        {
            ConsumerEvent.Assigned(var p, _) => p != partition,
            ConsumerEvent.Revoking(var p) => p != partition,
            _ => true,
        }).ToArray();
        _events.Clear();
        foreach (var e in kept)
            _events.Enqueue(e);
    }

    private async Task AssignAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(cancellationToken);
                var offset = await CheckpointStore.GetOrCreateAsync(connection, MetricsWriter.ConsumerGroup, partition, 0, cancellationToken);
                _owned[partition] = offset;
                _held.Remove(partition);
                _events.Enqueue(new ConsumerEvent.Assigned(partition, offset));
                if (_stopping && _revoking.Add(partition))
                    _events.Enqueue(new ConsumerEvent.Revoking(partition));
                return;
            }
            catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
            {
                await Task.Delay(5, cancellationToken);
            }
        }
    }
}

using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>
/// The loop against a model of a stream with rebalances, losses, rivals, sweeps and slow flushes in random order: whatever happens, each event is kept exactly once,
/// and every file holds exactly the events of its ranges.
/// </summary>
public sealed class ArchiveLoopModelTests
{
    private const int Partitions = 3;

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Run_AnyOrderOfEvents_KeepsEachEventOnce(int seed)
    {
        var clock = new FakeTimeProvider(new(2025, 12, 5, 12, 0, 0, TimeSpan.Zero));
        var model = new Model(seed, clock);
        var options = new ArchiverOptions { FlushRows = 20, FlushAge = TimeSpan.FromSeconds(5) };
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var telemetry = new ArchiverTelemetry(services.GetRequiredService<IMeterFactory>(), clock);
        var appender = new EventAppender(CardDataMode.Mask, NullLogger.Instance);

        await new ArchiveLoop(model, model, appender, TestArchiver.NoRepeats(), options, telemetry, clock, NullLogger.Instance).RunAsync(model.Stopping.Token, CancellationToken.None);

        for (var p = 0; p < Partitions; p++)
        {
            Assert.Equal(model.Lengths[p], model.Checkpoints[p]);
            Assert.Equal(Enumerable.Range(0, model.Lengths[p]).Where(Model.Exists).Select(o => (long)o), model.Kept[p].Order());
        }

        Assert.True(model.Flushes > 5);
    }

    private sealed class Model(int seed, FakeTimeProvider clock) : MessageConsumer, IArchiveFlusher
    {
        private const int Steps = 600;
        private readonly Random _random = new(seed);
        private readonly bool[] _owned = new bool[Partitions];
        private readonly bool[] _revoking = new bool[Partitions];
        private readonly long[] _read = new long[Partitions];
        private readonly Queue<ConsumerEvent> _answers = new();
        private (TaskCompletionSource<bool> Done, OffsetRange[] Ranges, int StepsLeft)? _flush;
        private int _steps;
        private bool _stopping;

        public CancellationTokenSource Stopping { get; } = new();

        public int Flushes { get; private set; }

        public int[] Lengths { get; } = new int[Partitions];

        public long[] Checkpoints { get; } = new long[Partitions];

        public List<long>[] Kept { get; } = [.. Enumerable.Range(0, Partitions).Select(_ => new List<long>())];

        public override bool IsStopped => _stopping && !_owned.Contains(true);

        /// <summary>The log has holes.</summary>
        public static bool Exists(int offset) => offset % 7 != 3;

        private bool Quiet => _steps > Steps;

        public override ValueTask<ConsumerEvent?> ReadAsync(TimeSpan timeout, CancellationToken cancellationToken)
        {
            lock (_answers)
                return Next(timeout);
        }

        private ValueTask<ConsumerEvent?> Next(TimeSpan timeout)
        {
            _steps++;
            TickFlush();
            if (_answers.TryDequeue(out var answer))
                return new(Check(answer));
            if (_stopping)
            {
                var next = Array.FindIndex(_owned, o => o);
                if (next < 0)
                    return default;
                _revoking[next] = true;
                return new(new ConsumerEvent.Revoking(Id(next)));
            }

            if (Quiet && Enumerable.Range(0, Partitions).All(p => Checkpoints[p] == Lengths[p]))
                Stopping.Cancel();

            var partition = _random.Next(Partitions);
            var dice = _random.Next(100);
            if (!_owned[partition])
            {
                if (dice < 20 && !Quiet)
                    Rival(partition);
                if (dice >= 60 || Quiet)
                    return new(Assign(partition));
            }
            else if (!Quiet && dice < 3)
            {
                _owned[partition] = false;
                // Another may have it already, before we are told.
                if (_random.Next(2) == 0)
                    Rival(partition);
                return new(new ConsumerEvent.Lost(Id(partition)));
            }
            else if (!Quiet && dice < 8)
            {
                _revoking[partition] = true;
                return new(new ConsumerEvent.Revoking(Id(partition)));
            }
            else if (!Quiet && dice < 10)
            {
                // Lost without our noticing: only the checkpoint tells.
                Rival(partition);
            }
            else if (!Quiet && dice < 12)
            {
                return new(Assign(partition));
            }
            else if (dice < 80)
            {
                if (!Quiet)
                    Lengths[partition] += _random.Next(12);
                if (_read[partition] < Lengths[partition])
                    return new(Read(partition));
            }

            clock.Advance(TimeSpan.FromSeconds(Math.Min(timeout.TotalSeconds, _random.Next(4))));
            return default;
        }

        public override ValueTask RewindAsync(StreamPartition partition, CancellationToken cancellationToken)
        {
            lock (_answers)
            {
                var p = partition.PartitionId;
                if (_owned[p])
                    _read[p] = Checkpoints[p];
                _answers.Enqueue(_owned[p] ? new ConsumerEvent.Assigned(partition, Checkpoints[p]) : new ConsumerEvent.Lost(partition));
                return default;
            }
        }

        public override ValueTask ReleaseAsync(StreamPartition partition, CancellationToken cancellationToken)
        {
            Assert.True(_revoking[partition.PartitionId]);
            _owned[partition.PartitionId] = _revoking[partition.PartitionId] = false;
            return default;
        }

        public override void Stop() => _stopping = true;

        public override ValueTask DisposeAsync() => default;

        public async Task<bool> FlushAsync(ArchiveBuffer buffer, IReadOnlyCollection<OffsetRange> ranges, FlushReason reason, CancellationToken cancellationToken)
        {
            Assert.Null(_flush);
            Assert.Equal(ranges.Sum(r => Offsets(r).Count()), buffer.Events.RowCount);
            Assert.InRange(buffer.Events.RowCount, 0, 20);
            Flushes++;
            var flush = new TaskCompletionSource<bool>();
            _flush = (flush, [.. ranges], _random.Next(6));
            // Nobody reads while the loop waits for the end of a flush: let it end by itself then.
            _ = Task.Run(async () =>
            {
                for (var before = -1; before != Volatile.Read(ref _steps);)
                {
                    before = Volatile.Read(ref _steps);
                    await Task.Delay(2, CancellationToken.None);
                }

                EndFlush(flush);
            }, CancellationToken.None);
            return await flush.Task;
        }

        private void TickFlush()
        {
            if (_flush is { } flush)
            {
                _flush = flush with { StepsLeft = flush.StepsLeft - 1 };
                if (flush.StepsLeft <= 0)
                    EndFlush(flush.Done);
            }
        }

        private void EndFlush(TaskCompletionSource<bool> which)
        {
            OffsetRange[] ranges;
            bool live;
            lock (_answers)
            {
                if (_flush is not { } flush || flush.Done != which)
                    return;
                _flush = null;
                ranges = flush.Ranges;
                // One in ten is swept.
                live = (Quiet || _random.Next(10) > 0) && ranges.All(r => Checkpoints[r.Partition.PartitionId] == r.From);
                if (live)
                {
                    foreach (var range in ranges)
                    {
                        Checkpoints[range.Partition.PartitionId] = range.To;
                        Kept[range.Partition.PartitionId].AddRange(Offsets(range));
                    }
                }
            }

            which.SetResult(live);
        }

        /// <summary>Another archiver commits a little of the partition.</summary>
        private void Rival(int partition)
        {
            var range = new OffsetRange(Id(partition), Checkpoints[partition], Math.Min(Lengths[partition], Checkpoints[partition] + _random.Next(10)));
            Checkpoints[partition] = range.To;
            Kept[partition].AddRange(Offsets(range));
        }

        private ConsumerEvent.Assigned Assign(int partition)
        {
            _owned[partition] = true;
            _revoking[partition] = false;
            _read[partition] = Checkpoints[partition];
            return new(Id(partition), _read[partition]);
        }

        private ConsumerEvent.Received Read(int partition)
        {
            var from = _read[partition];
            var to = Math.Min(Lengths[partition], from + 1 + _random.Next(30));
            _read[partition] = to;
            return new(new TestBatch(Id(partition), from, to, [.. Offsets(new(Id(partition), from, to)).Select(o => TestBatch.Event(o, clock.GetUtcNow()))]));
        }

        /// <summary>An answer to a rewind may have been overtaken.</summary>
        private ConsumerEvent? Check(ConsumerEvent answer) =>
            answer is ConsumerEvent.Assigned(var partition, var offset) && (!_owned[partition.PartitionId] || _read[partition.PartitionId] != offset) ? null : answer;

        private static IEnumerable<long> Offsets(OffsetRange range) => Enumerable.Range((int)range.From, (int)(range.To - range.From)).Where(Exists).Select(o => (long)o);

        private static StreamPartition Id(int partition) => new("payments", "log", partition);
    }
}

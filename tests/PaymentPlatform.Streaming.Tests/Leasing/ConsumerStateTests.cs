using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Leasing;
using PaymentPlatform.Streaming.Postgres;

namespace PaymentPlatform.Streaming.Tests.Leasing;

public sealed class ConsumerStateTests
{
    private const int BatchBytes = 60_000;
    private readonly ConsumerState _state = new(TimeProvider.System, prefetchBytes: 200_000, prefetchBytesPerPartition: 100_000);

    public ConsumerStateTests()
    {
        _state.Renewed(long.MaxValue);
        for (var i = 0; i < 4; i++)
            _state.Assign(Partition(i), 0);
        for (var i = 0; i < 4; i++)
            Assert.Equal(new ConsumerEvent.Assigned(Partition(i), 0), _state.Take(out _));
    }

    [Fact]
    public void Wanted_PartitionFull_LeavesItOutUntilTheCallerTookSome()
    {
        Offer(0);
        Assert.Contains(_state.Wanted(), w => w.Partition.Partition == Partition(0));
        Offer(0);
        Assert.DoesNotContain(_state.Wanted(), w => w.Partition.Partition == Partition(0));
        Assert.Equal(3, _state.Wanted().Count);

        Take();

        Assert.Contains(_state.Wanted(), w => w.Partition.Partition == Partition(0));
    }

    [Fact]
    public void Wanted_ConsumerFull_IsNothing()
    {
        for (var i = 0; i < 4; i++)
        {
            Assert.True(_state.Wanted().Sum(w => w.Budget) <= 200_000 - i * BatchBytes);
            Offer(i);
        }

        Assert.Empty(_state.Wanted());
    }

    [Fact]
    public void Take_AfterRevocation_GivesNoBatchOfIt()
    {
        Offer(3);
        Offer(2);

        _state.Reconcile("log", new HashSet<int> { 0, 1, 2, 3 }, target: 3);

        Assert.Equal(new ConsumerEvent.Revoking(Partition(3)), _state.Take(out _));
        Assert.Equal(Partition(2), Take().Partition);
        Assert.Null(_state.Take(out _));
    }

    [Fact]
    public void Offer_FetchedBeforeARewind_IsDropped()
    {
        var request = _state.Wanted()[0];
        Offer(0);
        var (consumed, generation) = _state.BeginRewind(Partition(0))!.Value;

        Assert.False(_state.Offer(request, Batch(Partition(0), 0)));
        _state.EndRewind(consumed, generation, 7);

        Assert.Equal(new ConsumerEvent.Assigned(Partition(0), 7), _state.Take(out _));
        Assert.Null(_state.Take(out _));
        Assert.Equal(7, _state.Wanted()[0].Position);
    }

    [Fact]
    public void Take_LeasesExpired_LosesEverythingFirst()
    {
        Offer(0);
        _state.Renewed(0);

        for (var i = 0; i < 4; i++)
            Assert.Equal(new ConsumerEvent.Lost(Partition(i)), _state.Take(out _));
        Assert.Null(_state.Take(out _));
        Assert.Empty(_state.Held);
    }

    [Fact]
    public void Stop_AllReleased_IsStopped()
    {
        _state.Stop();
        for (var i = 0; i < 4; i++)
        {
            Assert.False(_state.IsStopped);
            Assert.Equal(new ConsumerEvent.Revoking(Partition(i)), _state.Take(out _));
            Assert.True(_state.Release(Partition(i)));
        }

        Assert.True(_state.IsStopped);
        _state.Assign(Partition(0), 0);
        Assert.Null(_state.Take(out _));
    }

    private static StreamPartition Partition(int id) => new("payments", "log", id);

    private MessageBatch Take() => Assert.IsType<ConsumerEvent.Received>(_state.Take(out _)).Batch;

    private void Offer(int partition)
    {
        var request = Assert.Single(_state.Wanted(), w => w.Partition.Partition == Partition(partition));
        Assert.True(_state.Offer(request, Batch(Partition(partition), request.Position)));
    }

    private static PostgresMessageBatch Batch(StreamPartition partition, long offset)
    {
        using var builder = new RecordBatchBuilder(0, 0);
        builder.Add(Messages.Of(new byte[BatchBytes]));
        var encoded = builder.Encode();
        var batch = new PostgresMessageBatch(partition, offset);
        batch.Append(encoded.Payload.Span, encoded.UncompressedBytes, offset, offset + 1, 0);
        return batch;
    }
}

using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Repeats;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests;

public sealed class RepeatFilterTests(PlatformFixture platform) : IAsyncLifetime
{
    private static readonly StreamPartition One = new("payments", "log", 1);
    private static readonly StreamPartition Two = new("payments", "log", 2);
    private NpgsqlDataSource _database = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = NpgsqlDataSource.Create(await platform.CreateDatabaseAsync());

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task IsRepeat_SecondTime_IsTrueOnlyForTheSameEventOfThePartition()
    {
        var filter = Filter();

        Assert.Equal([false, false, false, true, true], await AskAsync(filter, One, ("k", 0), ("k", 4095), ("k", 4096), ("k", 0), ("k", 4096)));
        Assert.Equal([false, false], await AskAsync(filter, One, ("other", 0), ("k", 1)));
        Assert.Equal([false], await AskAsync(filter, Two, ("k", 0)));
        Assert.Equal([false, false], await AskAsync(filter, One, ("", 0), ("", 0)));
    }

    [Fact]
    public async Task Cut_Written_IsWhatAnotherOwnerFinds()
    {
        var filter = Filter();
        await AskAsync(filter, One, ("k", 5), ("k", 9000));
        var cut = filter.Cut();
        // Read after the cut: of the next commit.
        await AskAsync(filter, One, ("k", 6));
        await WriteAsync(cut);

        Assert.Equal([true, false, true], await AskAsync(Filter(), One, ("k", 5), ("k", 6), ("k", 9000)));
        Assert.Equal([false], await AskAsync(new(_database, "another group", TimeProvider.System, NullLogger.Instance), One, ("k", 5)));

        await WriteAsync(filter.Cut());
        Assert.Equal([true, true], await AskAsync(Filter(), One, ("k", 5), ("k", 6)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Forget_NotCommitted_IsNoRepeatAndIsNotWrittenByTheNextCommit(bool all)
    {
        var filter = Filter();
        await AskAsync(filter, One, ("k", 1));
        await AskAsync(filter, Two, ("k", 1));

        if (all)
            filter.ForgetAll();
        else
            filter.Forget(One);
        await WriteAsync(filter.Cut());

        Assert.Equal([false], await AskAsync(Filter(), One, ("k", 1)));
        Assert.Equal([!all], await AskAsync(Filter(), Two, ("k", 1)));
    }

    [Fact]
    public async Task Trim_MoreKeysThanItHolds_ForgetsAllButThoseOfTheBatchUnderWay()
    {
        var filter = Filter();
        var batch = Batch(One, [.. Enumerable.Range(0, 50_001).Select(i => ($"k{i}", 0L))]);
        await filter.PrepareAsync(batch, Cancellation);
        Assert.False(filter.IsRepeat(One, batch.Messages[0]));
        filter.Cut();

        // A file ends in the middle of a batch.
        filter.Trim();
        Assert.True(filter.IsRepeat(One, batch.Messages[0]));
        Assert.False(filter.IsRepeat(One, batch.Messages[50_000]));

        await AskAsync(filter, One, ("next", 0));
        filter.Trim();
        // Of these the table alone knows: the cut was never written.
        Assert.Equal([false, true, true], await AskAsync(filter, One, ("k0", 0), ("k50000", 0), ("next", 0)));
    }

    [Fact]
    public async Task Prepare_DatabaseAway_WaitsForIt()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Database=nowhere;Username=nobody;Timeout=2");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var filter = new RepeatFilter(nowhere, "g", TimeProvider.System, NullLogger.Instance);

        var asking = filter.PrepareAsync(Batch(One, ("k", 1)), end.Token).AsTask();
        Assert.False(asking.IsCompleted);
        await end.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    private RepeatFilter Filter() => new(_database, "g", TimeProvider.System, NullLogger.Instance);

    private static async Task<IEnumerable<bool>> AskAsync(RepeatFilter filter, StreamPartition partition, params (string Key, long Index)[] events)
    {
        var batch = Batch(partition, events);
        await filter.PrepareAsync(batch, Cancellation);
        return Array.ConvertAll(batch.Messages.ToArray(), m => filter.IsRepeat(partition, m));
    }

    private async Task WriteAsync(TakenKeys taken)
    {
        await using var connection = await _database.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await taken.WriteAsync(transaction, "g", Cancellation);
        await transaction.CommitAsync(Cancellation);
    }

    private static ArrayBatch Batch(StreamPartition partition, params (string Key, long Index)[] events) =>
        new(partition, [.. events.Select((e, i) => new ReceivedMessage(i, 0, Messages.Of("x"), new(Encoding.UTF8.GetBytes(e.Key), e.Index)))]);

    private sealed class ArrayBatch(StreamPartition partition, ReceivedMessage[] messages) : MessageBatch
    {
        public override StreamPartition Partition => partition;

        public override long FirstOffset => 0;

        public override long NextOffset => messages.Length;

        public override ReadOnlySpan<ReceivedMessage> Messages => messages;

        public override long BodyBytes => messages.Sum(m => m.Message.Body.Length);

        public override void Dispose()
        {
        }
    }
}

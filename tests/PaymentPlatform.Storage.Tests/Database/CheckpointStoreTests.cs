using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Storage.Tests.Database;

public sealed class CheckpointStoreTests(PlatformFixture platform) : IAsyncLifetime
{
    private const string Group = "archiver";

    private static readonly StreamPartition P0 = new("payments", "log-1", 0);
    private static readonly StreamPartition P1 = new("payments", "log-1", 1);
    private static readonly StreamPartition Other = new("payments", "log-2", 0);

    private NpgsqlDataSource _database = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = NpgsqlDataSource.Create(await platform.CreateDatabaseAsync());

    public async ValueTask DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task GetOrCreateAsync_NoCheckpoint_StartsAndStays()
    {
        Assert.Equal(7, await GetOrCreateAsync(P0, 7));
        Assert.Equal(7, await GetOrCreateAsync(P0, 99));
        Assert.Equal(3, await GetOrCreateAsync(Other, 3));
    }

    [Fact]
    public async Task GetOrCreateAsync_ManyAtOnce_AgreeOnOne()
    {
        var starts = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => GetOrCreateAsync(P0, i), Token)));
        Assert.Single(starts.Distinct());
    }

    [Fact]
    public async Task GetOrCreateAsync_SomebodyIsMovingIt_DoesNotWait()
    {
        await GetOrCreateAsync(P0, 10);
        await using var paused = await _database.OpenConnectionAsync(Token);
        await using var transaction = await paused.BeginTransactionAsync(Token);
        Assert.Empty(await CheckpointStore.AdvanceAsync(transaction, Group, [new(P0, 10, 11)], Token));

        await using var connection = await _database.OpenConnectionAsync(Token);
        await using (var limit = new NpgsqlCommand("SET statement_timeout = '5s'", connection))
            await limit.ExecuteNonQueryAsync(Token);

        Assert.Equal(10, await CheckpointStore.GetOrCreateAsync(connection, Group, P0, 0, Token));
    }

    [Fact]
    public async Task AdvanceAsync_AllStand_AllMove()
    {
        await GetOrCreateAsync(P0, 10);
        await GetOrCreateAsync(P1, 20);
        Assert.Empty(await AdvanceAsync(Group, new(P1, 20, 25), new(P0, 10, 11)));
        Assert.Equal((11, 25), (await GetOrCreateAsync(P0, 0), await GetOrCreateAsync(P1, 0)));
    }

    [Fact]
    public async Task AdvanceAsync_OneHasMoved_NothingMovesAndItIsNamed()
    {
        await GetOrCreateAsync(P0, 10);
        await GetOrCreateAsync(P1, 20);
        Assert.Equal([P1], await AdvanceAsync(Group, new(P0, 10, 11), new(P1, 19, 25)));
        Assert.Equal((10, 20), (await GetOrCreateAsync(P0, 0), await GetOrCreateAsync(P1, 0)));
    }

    [Fact]
    public async Task AdvanceAsync_NoCheckpointOrAnotherLogOrGroup_Stale()
    {
        await GetOrCreateAsync(P0, 10);
        Assert.Equal([P1], await AdvanceAsync(Group, new OffsetRange(P1, 0, 5)));
        Assert.Equal([Other], await AdvanceAsync(Group, new OffsetRange(Other, 10, 11)));
        Assert.Equal([P0], await AdvanceAsync("metrics", new OffsetRange(P0, 10, 11)));
    }

    [Fact]
    public async Task AdvanceAsync_NoRanges_NothingToDo() => Assert.Empty(await AdvanceAsync(Group));

    [Fact]
    public async Task AdvanceAsync_RolledBack_DoesNotMove()
    {
        await GetOrCreateAsync(P0, 10);
        await using (var connection = await _database.OpenConnectionAsync(Token))
        {
            await using var transaction = await connection.BeginTransactionAsync(Token);
            Assert.Empty(await CheckpointStore.AdvanceAsync(transaction, Group, [new(P0, 10, 11)], Token));
        }

        Assert.Equal(10, await GetOrCreateAsync(P0, 0));
    }

    [Fact]
    public async Task AdvanceAsync_OtherOwnerIsCommitting_WaitsThenFindsItselfStale()
    {
        await GetOrCreateAsync(P0, 10);
        await using var first = await _database.OpenConnectionAsync(Token);
        await using var transaction = await first.BeginTransactionAsync(Token);
        Assert.Empty(await CheckpointStore.AdvanceAsync(transaction, Group, [new(P0, 10, 12)], Token));

        var second = AdvanceAsync(Group, new OffsetRange(P0, 10, 15));
        await Eventually.TrueAsync(async () => await WaitingAsync() == 1, "the second owner waits for the lock");
        Assert.False(second.IsCompleted);
        await transaction.CommitAsync(Token);
        Assert.Equal([P0], await second);
        Assert.Equal(12, await GetOrCreateAsync(P0, 0));
    }

    [Fact]
    public async Task AdvanceAsync_ManyOwnersOverlapping_NoDeadlockAndEachStepOnce()
    {
        var partitions = Enumerable.Range(0, 6).Select(i => new StreamPartition("payments", "log-1", i)).ToArray();
        foreach (var partition in partitions)
            await GetOrCreateAsync(partition, 0);
        var moves = await Task.WhenAll(Enumerable.Range(0, 6).Select(worker => Task.Run(
            async () =>
            {
                var random = new Random(worker);
                var moved = 0L;
                for (var i = 0; i < 60; i++)
                {
                    var chosen = random.GetItems(partitions, 3).Distinct().ToArray();
                    var ranges = new List<OffsetRange>();
                    foreach (var partition in chosen)
                    {
                        var next = await GetOrCreateAsync(partition, 0);
                        ranges.Add(new(partition, next, next + 1));
                    }

                    if ((await AdvanceAsync(Group, [.. ranges])).Count == 0)
                        moved += ranges.Count;
                }

                return moved;
            }, Token)));
        var standing = 0L;
        foreach (var partition in partitions)
            standing += await GetOrCreateAsync(partition, 0);
        Assert.Equal(moves.Sum(), standing);
        Assert.True(standing > 0);
    }

    private async Task<long> GetOrCreateAsync(StreamPartition partition, long start)
    {
        await using var connection = await _database.OpenConnectionAsync(Token);
        return await CheckpointStore.GetOrCreateAsync(connection, Group, partition, start, Token);
    }

    private async Task<IReadOnlyList<StreamPartition>> AdvanceAsync(string group, params OffsetRange[] ranges)
    {
        await using var connection = await _database.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        var stale = await CheckpointStore.AdvanceAsync(transaction, group, ranges, Token);
        await transaction.CommitAsync(Token);
        return stale;
    }

    private async Task<long> WaitingAsync()
    {
        await using var command = _database.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
        return (long)(await command.ExecuteScalarAsync(Token))!;
    }
}

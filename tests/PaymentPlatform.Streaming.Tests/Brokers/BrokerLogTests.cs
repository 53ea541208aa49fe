using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Brokers;
using PaymentPlatform.Streaming.Postgres;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Brokers;

public sealed class BrokerLogTests(PlatformFixture platform) : IAsyncLifetime
{
    private NpgsqlDataSource _database = null!;
    private BrokerLog _log = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = NpgsqlDataSource.Create(await platform.CreateDatabaseAsync());
        _log = new(_database, "payments", "Kafka");
        await using var register = _database.CreateCommand("INSERT INTO stream_groups (consumer_group, stream) VALUES ('g', 'payments')");
        await register.ExecuteNonQueryAsync(Cancellation);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Observe_EndsAndOwner_AreInTheLagView()
    {
        await _log.ObserveAsync("one", 2, [new(1, 5, 12)], Cancellation);
        await _log.ObserveAsync("one", 2, [new(1, 5, 9), new(0, 0, 3)], Cancellation);
        await _log.OwnAsync("g", "me", [1], TimeSpan.FromMinutes(1), Cancellation);
        await using (var connection = await _database.OpenConnectionAsync(Cancellation))
            await CheckpointStore.GetOrCreateAsync(connection, "g", new("payments", "one", 1), 7, Cancellation);

        Assert.Equal(["one/0 0-3 lag 3 ", "one/1 7-12 lag 5 me"], await RowsAsync("SELECT format('%s/%s %s-%s lag %s %s', log_id, partition_id, position, end_offset, lag, owner) FROM stream_lag ORDER BY partition_id"));

        await _log.OwnAsync("g", "me", [], TimeSpan.FromMinutes(1), Cancellation);
        Assert.Empty(await RowsAsync("SELECT owner FROM stream_lag WHERE owner IS NOT NULL"));
    }

    [Fact]
    public async Task Observe_MorePartitions_AddsThem()
    {
        await _log.ObserveAsync("one", 2, [], Cancellation);
        await _log.ObserveAsync("one", 3, [new(2, 0, 1)], Cancellation);

        Assert.Equal(["0 0", "1 0", "2 1"], await RowsAsync("SELECT partition_id || ' ' || end_offset FROM stream_lag ORDER BY partition_id"));
    }

    [Fact]
    public async Task Observe_AnotherLog_ReplacesTheOldOneAndNotesWhatWasUnread()
    {
        await _log.ObserveAsync("one", 1, [new(0, 0, 10)], Cancellation);
        await using (var connection = await _database.OpenConnectionAsync(Cancellation))
            await CheckpointStore.GetOrCreateAsync(connection, "g", new("payments", "one", 0), 4, Cancellation);

        await _log.ObserveAsync("two", 1, [new(0, 0, 2)], Cancellation);

        Assert.Equal(["two 2"], await RowsAsync("SELECT log_id || ' ' || end_offset FROM stream_lag"));
        Assert.Equal(["one 4-10"], await RowsAsync("SELECT format('%s %s-%s', log_id, first_offset, next_offset) FROM stream_gaps"));
    }

    [Fact]
    public async Task Observe_OlderThanWhatAnotherProcessNoted_IsVoidUntilTheBrokerIsAskedAgain()
    {
        var other = new BrokerLog(_database, "payments", "Kafka");
        await _log.ObserveAsync("one", 1, [new(0, 0, 10)], Cancellation);
        await other.ObserveAsync("one", 1, [], Cancellation);
        await other.ObserveAsync("two", 1, [new(0, 0, 2)], Cancellation);

        // Asked before the log was recreated, written after.
        await _log.ObserveAsync("one", 1, [new(0, 0, 11)], Cancellation);
        Assert.Equal(["two 2"], await RowsAsync("SELECT log_id || ' ' || end_offset FROM stream_lag"));

        await _log.ObserveAsync("two", 1, [new(0, 0, 3)], Cancellation);
        Assert.Equal(["two 3"], await RowsAsync("SELECT log_id || ' ' || end_offset FROM stream_lag"));
        await _log.ObserveAsync("three", 1, [], Cancellation);
        Assert.Equal(["three 0"], await RowsAsync("SELECT log_id || ' ' || end_offset FROM stream_lag"));
    }

    [Fact]
    public async Task Observe_NameOfAnotherTransport_IsRefusedBothWays()
    {
        await new PostgresStreamAdmin(_database).CreateAsync("payments", 1, Cancellation);

        var error = await Assert.ThrowsAsync<StreamUnavailableException>(() => _log.ObserveAsync("one", 1, [], Cancellation));

        Assert.Equal("The stream 'payments' in this database belongs to the transport Postgres. Choose another name (Streaming:Stream) or another database for the transport Kafka.", error.Message);
        await new BrokerLog(_database, "kafka", "Kafka").ObserveAsync("one", 1, [], Cancellation);
        var other = await Assert.ThrowsAsync<InvalidOperationException>(() => new PostgresStreamAdmin(_database).DescribeAsync("kafka", Cancellation));
        Assert.Equal("the stream's name belongs to the transport Kafka here, choose another one (Streaming:Stream)", other.Message);
    }

    private async Task<List<string>> RowsAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancellation))
            rows.Add(reader.GetString(0));
        return rows;
    }
}

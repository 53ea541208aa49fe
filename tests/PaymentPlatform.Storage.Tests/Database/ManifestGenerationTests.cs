using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Storage.Tests.Database;

/// <summary>The trigger that numbers the changes of the manifest.</summary>
public sealed class ManifestGenerationTests(PlatformFixture platform) : IAsyncLifetime
{
    private NpgsqlDataSource _database = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = NpgsqlDataSource.Create(await platform.CreateDatabaseAsync());

    public async ValueTask DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Change_OfOverlappingTransactions_IsNumberedInTheOrderOfCommits()
    {
        var (first, second) = (await InsertPendingAsync(), await InsertPendingAsync());
        await using var slow = await _database.OpenConnectionAsync(Token);
        await using var transaction = await slow.BeginTransactionAsync(Token);
        await MakeLiveAsync(slow, first);
        await using (var quick = await _database.OpenConnectionAsync(Token))
            await MakeLiveAsync(quick, second);
        var between = await NumberAsync("SELECT generation FROM raw_event_generation");
        await transaction.CommitAsync(Token);

        Assert.Equal(between, await NumberAsync($"SELECT live_generation FROM raw_event_files WHERE file_id = '{second}'"));
        Assert.Equal(between + 1, await NumberAsync($"SELECT live_generation FROM raw_event_files WHERE file_id = '{first}'"));
    }

    [Fact]
    public async Task Change_RolledBackOrOtherwise_TakesNoNumber()
    {
        var file = await InsertPendingAsync();
        var before = await NumberAsync("SELECT generation FROM raw_event_generation");
        await using var connection = await _database.OpenConnectionAsync(Token);
        await using (var transaction = await connection.BeginTransactionAsync(Token))
        {
            await MakeLiveAsync(connection, file);
            await transaction.RollbackAsync(Token);
        }

        await ExecuteAsync(connection, $"UPDATE raw_event_files SET state = 'abandoned' WHERE file_id = '{file}'");
        Assert.Equal(before, await NumberAsync("SELECT generation FROM raw_event_generation"));
    }

    private async Task<Guid> InsertPendingAsync()
    {
        var file = Guid.CreateVersion7();
        await using var connection = await _database.OpenConnectionAsync(Token);
        await ExecuteAsync(connection, $"INSERT INTO raw_event_files (file_id, blob_name, state, owner) VALUES ('{file}', '{file}', 'pending', 'test')");
        return file;
    }

    private static Task MakeLiveAsync(NpgsqlConnection connection, Guid file) =>
        ExecuteAsync(connection, $"UPDATE raw_event_files SET state = 'live', row_count = 1, byte_size = 1, sha256 = '', archived_at = now() WHERE file_id = '{file}'");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }

    private async Task<long> NumberAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(Token))!;
    }
}

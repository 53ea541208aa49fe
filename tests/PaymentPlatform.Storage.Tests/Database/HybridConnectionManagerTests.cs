using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Storage.Tests.Database;

public sealed class HybridConnectionManagerTests(PlatformFixture platform)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ExecuteAsync_ConnectionKilledTwice_RetriedUntilItWorks()
    {
        var connections = platform.Connect(await platform.CreateDatabaseAsync());
        var attempts = 0;
        var answer = await connections.ExecuteAsync(
            async (connection, token) =>
            {
                if (++attempts <= 2)
                    await KillAsync(connections, connection);
                await using var command = new NpgsqlCommand("SELECT 42", connection);
                return (int)(await command.ExecuteScalarAsync(token))!;
            }, Token);
        Assert.Equal((42, 3), (answer, attempts));
    }

    [Fact]
    public async Task ExecuteAsync_WrongSql_FailsAtOnce()
    {
        var connections = platform.Connect(await platform.CreateDatabaseAsync());
        var attempts = 0;
        await Assert.ThrowsAsync<PostgresException>(() => connections.ExecuteAsync(
            async (connection, token) =>
            {
                attempts++;
                await using var command = new NpgsqlCommand("SELECT nothing FROM nowhere", connection);
                await command.ExecuteNonQueryAsync(token);
            }, Token));
        Assert.Equal(1, attempts);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 3)]
    public async Task ExecuteAsync_FaultStays_ReportedAfterTheRetries(int maxRetries, int expected)
    {
        var connections = platform.Connect(await platform.CreateDatabaseAsync(), options: new() { MinPoolSize = 0, MaxRetries = maxRetries });
        var attempts = 0;
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => connections.ExecuteAsync(
            async (connection, token) =>
            {
                attempts++;
                await KillAsync(connections, connection);
                await using var command = new NpgsqlCommand("SELECT 1", connection);
                await command.ExecuteNonQueryAsync(token);
            }, Token));
        Assert.Equal(expected, attempts);
    }

    [Fact]
    public async Task IsTransient_DeadlockAndSerialisationFailure_True()
    {
        await using var database = NpgsqlDataSource.Create(await platform.CreateDatabaseAsync());
        foreach (var code in new[] { PostgresErrorCodes.DeadlockDetected, PostgresErrorCodes.SerializationFailure, PostgresErrorCodes.AdminShutdown, PostgresErrorCodes.TooManyConnections })
            Assert.True(HybridConnectionManager.IsTransient(await RaisedAsync(database, code)), code);
        foreach (var code in new[] { PostgresErrorCodes.UniqueViolation, PostgresErrorCodes.ExclusionViolation, PostgresErrorCodes.CheckViolation })
            Assert.False(HybridConnectionManager.IsTransient(await RaisedAsync(database, code)), code);
        Assert.False(HybridConnectionManager.IsTransient(new InvalidOperationException()));
    }

    [Fact]
    public async Task IsTransient_PoolExhausted_True()
    {
        await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(await platform.CreateDatabaseAsync()) { MaxPoolSize = 1, Timeout = 1 }.ConnectionString);
        await using var only = await database.OpenConnectionAsync(Token);
        Assert.True(HybridConnectionManager.IsTransient(await Assert.ThrowsAsync<NpgsqlException>(async () => await database.OpenConnectionAsync(Token))));
    }

    [Fact]
    public async Task ValidateAsync_BothUp_Passes() => await platform.Connect(await platform.CreateDatabaseAsync()).ValidateAsync(Token);

    [Fact]
    public async Task ValidateAsync_NoDatabase_Throws()
    {
        var nowhere = new NpgsqlConnectionStringBuilder(await platform.CreateDatabaseAsync()) { Port = 1, Timeout = 1 }.ConnectionString;
        await using var database = NpgsqlDataSource.Create(nowhere);
        var connections = Manager(database, new(platform.BlobConnectionString, Version));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => connections.ValidateAsync(Token));
    }

    [Fact]
    public async Task ValidateAsync_NoBlobs_Throws()
    {
        await using var database = NpgsqlDataSource.Create(await platform.CreateDatabaseAsync());
        var options = new BlobClientOptions(BlobClientOptions.ServiceVersion.V2025_01_05) { Retry = { MaxRetries = 0 } };
        var connections = Manager(database, new("DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=AAAA;BlobEndpoint=http://127.0.0.1:1/devstoreaccount1;", options));
        await Assert.ThrowsAsync<Azure.RequestFailedException>(() => connections.ValidateAsync(Token));
    }

    private static BlobClientOptions Version => new(BlobClientOptions.ServiceVersion.V2025_01_05);

    private static HybridConnectionManager Manager(NpgsqlDataSource database, BlobServiceClient blobs) =>
        new(database, new(blobs), Options.Create(new HybridConnectionOptions()), TimeProvider.System, NullLogger<HybridConnectionManager>.Instance);

    private static async Task KillAsync(HybridConnectionManager connections, NpgsqlConnection connection)
    {
        await using var command = connections.Database.CreateCommand("SELECT pg_terminate_backend($1, 5000)");
        command.Parameters.Add(new() { Value = connection.ProcessID });
        Assert.Equal(true, await command.ExecuteScalarAsync(Token));
    }

    private static async Task<PostgresException> RaisedAsync(NpgsqlDataSource database, string code)
    {
        await using var command = database.CreateCommand($"DO $$ BEGIN RAISE EXCEPTION 'made' USING ERRCODE = '{code}'; END $$");
        return await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Token));
    }
}

using System.Diagnostics;
using Npgsql;
using PaymentPlatform.LocalInfrastructure;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

public sealed class LocalPlatformTests
{
    [Fact]
    public async Task Start_PostgresKilled_IsBackAtTheSameAddressWithItsData()
    {
        using var data = new TemporaryDirectory();
        await using var platform = await LocalPlatform.StartAsync(new() { DataDirectory = data.Path }, TestContext.Current.CancellationToken);
        await ScalarAsync(platform.DatabaseConnectionString, "CREATE TABLE kept AS SELECT 7 AS answer");
        var pid = int.Parse((await File.ReadAllLinesAsync(data.Sub("postgres", "data", "postmaster.pid"), TestContext.Current.CancellationToken))[0]);

        using (var postmaster = Process.GetProcessById(pid))
            postmaster.Kill();

        object? answer = null;
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    answer = await ScalarAsync(platform.DatabaseConnectionString, "SELECT answer FROM kept");
                    return File.Exists(data.Sub("postgres", "data", "postmaster.pid"))
                        && (await File.ReadAllLinesAsync(data.Sub("postgres", "data", "postmaster.pid"), TestContext.Current.CancellationToken))[0] != $"{pid}";
                }
                catch (NpgsqlException)
                {
                    return false;
                }
            },
            "PostgreSQL answers again");
        Assert.Equal(7, answer);
    }

    [Fact]
    public async Task Start_SameDataTwice_SecondIsRefused()
    {
        using var data = new TemporaryDirectory();
        await using var first = await LocalPlatform.StartAsync(new() { DataDirectory = data.Path }, TestContext.Current.CancellationToken);

        var refused = await Assert.ThrowsAsync<LocalPlatformException>(() => LocalPlatform.StartAsync(new() { DataDirectory = data.Path }, TestContext.Current.CancellationToken));

        Assert.Contains(data.Path, refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
    }

    private static async Task<object?> ScalarAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}

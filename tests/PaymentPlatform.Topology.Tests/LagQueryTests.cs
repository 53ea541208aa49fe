using Npgsql;
using PaymentPlatform.AppHost;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Topology.Tests;

/// <summary>What KEDA asks, asked of a real database.</summary>
public sealed class LagQueryTests(PlatformFixture platform)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_Group_SumsItsPartitionsOfTheCurrentLog()
    {
        await using var database = NpgsqlDataSource.Create(await platform.CreateDatabaseAsync());
        Assert.Equal(0d, await AskAsync(database, PlatformNames.ArchiverGroup));
        await ExecuteAsync(database, $"""
            INSERT INTO stream_logs (stream, log_id, partition_count) VALUES ('{PlatformNames.Stream}', 'now', 2), ('other', 'elsewhere', 1);
            INSERT INTO stream_partitions (log_id, partition_id, first_offset, next_offset) VALUES ('now', 0, 0, 100), ('now', 1, 10, 60), ('elsewhere', 0, 0, 1000);
            INSERT INTO stream_groups (consumer_group, stream) VALUES ('{PlatformNames.ArchiverGroup}', '{PlatformNames.Stream}'), ('{PlatformNames.MetricsGroup}', '{PlatformNames.Stream}'), ('{PlatformNames.ArchiverGroup}', 'other');
            INSERT INTO stream_checkpoints (consumer_group, stream, log_id, partition_id, next_offset) VALUES
              ('{PlatformNames.ArchiverGroup}', '{PlatformNames.Stream}', 'now', 0, 70), ('{PlatformNames.ArchiverGroup}', '{PlatformNames.Stream}', 'before', 0, 5000);
            """);
        Assert.Equal(30d + 50d, await AskAsync(database, PlatformNames.ArchiverGroup));
        Assert.Equal(100d + 50d, await AskAsync(database, PlatformNames.MetricsGroup));
    }

    private static async Task<double> AskAsync(NpgsqlDataSource database, string group)
    {
        await using var command = database.CreateCommand(LagQuery.Of(group));
        return (double)(await command.ExecuteScalarAsync(Token))!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Token);
    }
}

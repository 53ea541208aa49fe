using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Storage.Tests.Database;

public sealed class DatabaseMigratorTests(PlatformFixture platform)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string[] Scripts => [.. typeof(DatabaseMigrator).Assembly.GetManifestResourceNames().Where(n => n.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task MigrateAsync_EmptyDatabase_EveryScriptOnceAndInOrder()
    {
        await using var database = await EmptyAsync();
        await MigrateAsync(database);
        Assert.Equal(Scripts, await AppliedAsync(database));
        await MigrateAsync(database);
        Assert.Equal(Scripts, await AppliedAsync(database));
    }

    [Fact]
    public async Task MigrateAsync_ManyProcessesAtOnce_EveryScriptOnce()
    {
        var connection = await platform.CreateDatabaseAsync(migrate: false);
        await using var database = NpgsqlDataSource.Create(connection);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(
            async () =>
            {
                await using var own = NpgsqlDataSource.Create(connection);
                await MigrateAsync(own);
            }, Token)));
        Assert.Equal(Scripts, await AppliedAsync(database));
    }

    [Fact]
    public async Task MigrateAsync_DatabaseOfANewerVersion_RefusedByNameEachTime()
    {
        var connection = await platform.CreateDatabaseAsync(migrate: false);
        await using var database = NpgsqlDataSource.Create(connection);
        await MigrateAsync(database);
        await ExecuteAsync(database, "INSERT INTO schema_versions (scriptname, applied) VALUES ('9999_future.sql', now())");
        // Again and again: a failure leaves no lock behind.
        for (var i = 0; i < 3; i++)
        {
            await using var own = NpgsqlDataSource.Create(connection);
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => MigrateAsync(own));
            Assert.Contains("9999_future.sql", refused.Message);
            Assert.Equal(0L, await LocksAsync(database));
        }
    }

    [Fact]
    public async Task MigrateAsync_ScriptFails_NamedRolledBackAndRunsOnceTheCauseIsGone()
    {
        await using var database = await EmptyAsync();
        await ExecuteAsync(database, "CREATE TABLE raw_event_ranges (occupied int)");
        var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => MigrateAsync(database));
        Assert.Contains("0002_archive.sql", failed.Message);
        Assert.Equal(0L, await LocksAsync(database));
        Assert.Equal(Scripts[..1], await AppliedAsync(database));
        // The script's first table came before the failing one.
        Assert.Null(await ScalarAsync(database, "SELECT to_regclass('raw_event_files')::text"));

        await ExecuteAsync(database, "DROP TABLE raw_event_ranges");
        await MigrateAsync(database);
        Assert.Equal(Scripts, await AppliedAsync(database));
    }

    [Fact]
    public async Task MigrateAsync_ScriptTakesLongerThanACommandMay_RunsToItsEndAndIsTold()
    {
        await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(await platform.CreateDatabaseAsync(migrate: false)) { CommandTimeout = 1 }.ConnectionString);
        await ExecuteAsync(
            database,
            """
            CREATE FUNCTION be_slow() RETURNS event_trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.metric_rebuilds') THEN PERFORM pg_sleep(2); END IF;
            END $$;
            CREATE EVENT TRIGGER be_slow ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION be_slow();
            """);
        var log = new LogLines<DatabaseMigratorTests>();

        await DatabaseMigrator.MigrateAsync(database, log, Token);

        Assert.Equal(Scripts, await AppliedAsync(database));
        Assert.Equal(2 * Scripts.Length, log.Lines.Count);
        Assert.Contains($"Information: Database migration {Scripts[5]} begins (6 of {Scripts.Length})", log.Lines);
        var took = Assert.Single(log.Lines, line => line.StartsWith($"Information: Database migrated: {Scripts[5]} in ", StringComparison.Ordinal)).Split(' ')[^2];
        Assert.InRange(double.Parse(took, CultureInfo.InvariantCulture), 2, double.MaxValue);
    }

    [Fact]
    public async Task MigrateAsync_FiguresOfTheVersionBefore_KeptInPartitionsAndDefault()
    {
        await using var database = await EmptyAsync();
        await ExecuteAsync(database, "CREATE TABLE metric_deltas (occupied int)");
        Assert.Contains("0005_metric_engine.sql", (await Assert.ThrowsAsync<InvalidOperationException>(() => MigrateAsync(database))).Message);
        await ExecuteAsync(
            database,
            """
            INSERT INTO payment_metrics_5m (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount)
            SELECT w, w + interval '5 minutes', 'credit_card', 'EUR', 'completed', 3, 7.5, 1, 4
            FROM unnest(ARRAY[date_trunc('day', now(), 'UTC'), TIMESTAMPTZ '2020-02-29 12:00Z', TIMESTAMPTZ '0001-01-01 00:00Z']) AS w
            """);

        await ExecuteAsync(database, "DROP TABLE metric_deltas");
        await MigrateAsync(database);

        Assert.Equal(Scripts, await AppliedAsync(database));
        Assert.Equal("3 9 22.5 7.5", await ScalarAsync(database, "SELECT concat_ws(' ', count(*), sum(total_count), sum(total_amount)::float8, sum(avg_amount)::float8) FROM payment_metrics_5m"));
        Assert.Equal(2L, await ScalarAsync(database, "SELECT count(*) FROM payment_metrics_5m_default"));
    }

    [Fact]
    public void Scripts_All_StateTheWayBack()
    {
        Assert.NotEmpty(Scripts);
        foreach (var script in Scripts)
        {
            using var reader = new StreamReader(typeof(DatabaseMigrator).Assembly.GetManifestResourceStream(script)!);
            Assert.StartsWith("-- Way back:", reader.ReadLine());
        }
    }

    private static Task MigrateAsync(NpgsqlDataSource database) => DatabaseMigrator.MigrateAsync(database, NullLogger.Instance, Token);

    private async Task<NpgsqlDataSource> EmptyAsync() => NpgsqlDataSource.Create(await platform.CreateDatabaseAsync(migrate: false));

    private static async Task<string[]> AppliedAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("SELECT array_agg(scriptname ORDER BY schemaversionsid) FROM schema_versions");
        return (string[])(await command.ExecuteScalarAsync(Token))!;
    }

    private static async Task<long> LocksAsync(NpgsqlDataSource database) =>
        (long)(await ScalarAsync(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"))!;

    private static async Task<object?> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Token) is var value && value is DBNull ? null : value;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Token);
    }
}

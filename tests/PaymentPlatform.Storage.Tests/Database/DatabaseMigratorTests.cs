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
    public async Task MigrateAsync_FiguresOfTheVersionBefore_KeptInPartitionsOfTheirDays()
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
        Assert.Equal(0L, await ScalarAsync(database, "SELECT count(*) FROM payment_metrics_5m_default"));
        Assert.Equal("payment_metrics_5m_20200229", await ScalarAsync(database, "SELECT tableoid::regclass::text FROM payment_metrics_5m WHERE window_start = '2020-02-29 12:00Z'"));
    }

    [Fact]
    public async Task MigrateAsync_EarlierDaysOfAnyTable_MoveIntoTheirPartitionsTheNewestFirst()
    {
        await using var database = await EmptyAsync();
        await MigrateAsync(database);
        await ExecuteAsync(
            database,
            """
            DELETE FROM schema_versions WHERE scriptname LIKE '%.0008_%';
            INSERT INTO payment_metrics_5m (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount)
            SELECT day + hour * interval '1 hour', day + hour * interval '1 hour' + interval '5 minutes', 'credit_card', 'EUR', 'completed', 3, 7.5, 1, 4
            FROM generate_series(TIMESTAMPTZ '2020-01-01 00:00Z', TIMESTAMPTZ '2021-05-20 00:00Z', interval '1 day') AS day, unnest(ARRAY[0, 23.5]) AS hour;
            INSERT INTO aggregate_histograms (time_window_start, time_window_end, metric_type, event_type, event_count, sketch) VALUES ('2022-01-01 12:00Z', '2022-01-01 13:00Z', 'amount', '', 1, '');
            INSERT INTO dynamic_metrics (event_time, rule_name, stream, log_id, partition_id, stream_offset, rule_version, metric_type) VALUES ('2022-01-02 12:00Z', 'r', 's', 'l', 0, 0, '1', 'count');
            INSERT INTO rule_buckets (window_start, rule_name, rule_version, group_key, window_end, metric_type, event_count, matched, total) VALUES ('2022-01-03 12:00Z', 'r', '1', '', '2022-01-03 13:00Z', 'count', 1, 1, 0);
            INSERT INTO cluster_samples (window_start, payload) VALUES ('2022-01-04 12:00Z', '');
            INSERT INTO metric_clusters VALUES ('2022-01-05 12:00Z', 1, 1, 1, 1, 1, 1, 'm', 1, 'EUR', 1, 1, now());
            """);

        await MigrateAsync(database);

        Assert.Equal(
            ["aggregate_histograms_20220101", "cluster_samples_20220104", "dynamic_metrics_20220102", "metric_clusters_20220105", "rule_buckets_20220103"],
            (string[])(await ScalarAsync(
                database,
                """
                SELECT array_agg(place ORDER BY place) FROM (
                  SELECT tableoid::regclass::text AS place FROM aggregate_histograms UNION ALL SELECT tableoid::regclass::text FROM dynamic_metrics UNION ALL SELECT tableoid::regclass::text FROM rule_buckets
                  UNION ALL SELECT tableoid::regclass::text FROM cluster_samples UNION ALL SELECT tableoid::regclass::text FROM metric_clusters) AS rows
                """))!);
        // 506 days of figures and five others: what goes beyond 500 stays, and is as right there.
        Assert.Equal("1012 22 2020-01-11", await ScalarAsync(
            database,
            """
            SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE tableoid = 'payment_metrics_5m_default'::regclass), (max(window_start) FILTER (WHERE tableoid = 'payment_metrics_5m_default'::regclass) AT TIME ZONE 'UTC')::date)
            FROM payment_metrics_5m
            """));
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

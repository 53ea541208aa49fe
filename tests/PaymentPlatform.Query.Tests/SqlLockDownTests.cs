using System.Net;
using System.Net.Http.Json;
using DuckDB.NET.Data;
using PaymentPlatform.Query.Sql.Worker;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

/// <summary>What <c>POST /v1/sql</c> refuses and stops, and that the service lives on.</summary>
public sealed class SqlLockDownTests(PlatformFixture platform)
{
    private const string Good = "SELECT count(*), sum(amount) FROM events";
    private const string GoodRows = "[[1,1.5]]";

    /// <summary>Statements, and a part of what is said about each. <c>CACHE</c> stands for the folder of the local copies.</summary>
    private static readonly (string Sql, string Detail)[] Hostile =
    [
        ("", "no statement"),
        ("-- nothing", "no statement"),
        (";", "no statement"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("SELECT 1; DROP VIEW events", "not a SELECT"),
        ("COPY events TO '/tmp/x.csv'", "not a SELECT"),
        ("COPY (SELECT 1) TO 'CACHE/files/x.parquet'", "not a SELECT"),
        ("COPY events FROM '/etc/passwd'", "not a SELECT"),
        ("ATTACH '/tmp/x.db' AS x", "not a SELECT"),
        ("ATTACH 'host=127.0.0.1' AS x (TYPE postgres)", "not a SELECT"),
        ("DETACH memory", "not a SELECT"),
        ("USE memory", "not a SELECT"),
        ("INSTALL httpfs", "not a SELECT"),
        ("FORCE INSTALL httpfs FROM 'http://127.0.0.1/'", "not a SELECT"),
        ("LOAD '/tmp/x.duckdb_extension'", "not a SELECT"),
        ("UPDATE EXTENSIONS", "not a SELECT"),
        ("PRAGMA database_list", "not a SELECT"),
        ("PRAGMA enable_profiling", "not a SELECT"),
        ("SET memory_limit = '100GB'", "not a SELECT"),
        ("RESET memory_limit", "not a SELECT"),
        ("SET VARIABLE x = 1", "not a SELECT"),
        ("EXPORT DATABASE '/tmp/x'", "not a SELECT"),
        ("IMPORT DATABASE '/tmp/x'", "not a SELECT"),
        ("CALL pragma_version()", "not a SELECT"),
        ("CREATE TABLE x AS SELECT 1", "not a SELECT"),
        ("CREATE MACRO f(x) AS x", "not a SELECT"),
        ("CREATE SECRET s (TYPE s3)", "not a SELECT"),
        ("INSERT INTO events SELECT * FROM events", "not a SELECT"),
        ("UPDATE events SET amount = 0", "not a SELECT"),
        ("DELETE FROM events", "not a SELECT"),
        ("DROP VIEW events", "not a SELECT"),
        ("ALTER VIEW events RENAME TO x", "not a SELECT"),
        ("CHECKPOINT", "not a SELECT"),
        ("VACUUM", "not a SELECT"),
        ("BEGIN", "not a SELECT"),
        ("EXPLAIN SELECT * FROM events", "not a SELECT"),
        ("EXPLAIN ANALYZE SELECT * FROM events", "not a SELECT"),
        ("PREPARE p AS SELECT 1", "not a SELECT"),
        ("EXECUTE p", "not a SELECT"),
        ("PIVOT events ON currency USING sum(amount)", "not a SELECT"),
        ("SHOW TABLES", "SHOW is not allowed"),
        ("SHOW ALL TABLES", "SHOW is not allowed"),
        ("FROM (SHOW DATABASES)", "SHOW is not allowed"),
        ("DESCRIBE duckdb_settings", "no table duckdb_settings"),
        ("WITH x AS (INSERT INTO y VALUES (1) RETURNING *) SELECT * FROM x", "SELECT"),
        ("SELECT 1 INTO x", "INTO"),
        ("SELECT * FROM '/etc/passwd'", "no table /etc/passwd"),
        ("SELECT * FROM 'CACHE/files/*.parquet'", "no table"),
        ("SELECT * FROM \"CACHE/files/x.parquet\"", "no table"),
        ("SELECT * FROM 'http://127.0.0.1/x.parquet'", "no table"),
        ("SELECT * FROM raw_event_files", "no table raw_event_files"),
        ("SELECT * FROM main.events", "no table main.events"),
        ("SELECT * FROM memory.main.all_events", "no table memory.main.all_events"),
        ("SELECT * FROM information_schema.tables", "no table information_schema.tables"),
        ("SELECT * FROM duckdb_views", "no table duckdb_views"),
        ("SELECT * FROM sqlite_master", "no table sqlite_master"),
        ("SELECT * FROM pg_catalog.pg_settings", "no table pg_catalog.pg_settings"),
        ("SELECT (SELECT sql FROM duckdb_views() LIMIT 1)", "duckdb_views is not allowed"),
        ("SELECT * FROM events WHERE EXISTS (FROM '/etc/passwd')", "no table /etc/passwd"),
        // A name is in scope behind its definition only.
        ("WITH a AS (SELECT * FROM \"x.parquet\"), \"x.parquet\" AS (SELECT 1) SELECT * FROM a", "no table x.parquet"),
        ("WITH \"x.parquet\" AS (SELECT * FROM \"x.parquet\") SELECT 1", "no table x.parquet"),
        ("SELECT * FROM (WITH \"x.parquet\" AS (SELECT 1) SELECT 1) a, \"x.parquet\"", "no table x.parquet"),
        ("WITH \"É.parquet\" AS (SELECT 1) SELECT * FROM \"é.parquet\"", "no table é.parquet"),
        ("SELECT * FROM read_parquet('CACHE/files/*.parquet')", "read_parquet is not allowed"),
        ("SELECT * FROM parquet_scan('x')", "parquet_scan is not allowed"),
        ("SELECT * FROM READ_CSV('/etc/passwd')", "is not allowed"),
        ("SELECT * FROM \"Read_Csv_Auto\"('/etc/passwd')", "is not allowed"),
        ("SELECT * FROM read_text('/etc/passwd')", "read_text is not allowed"),
        ("SELECT * FROM read_blob('/etc/passwd')", "read_blob is not allowed"),
        ("SELECT * FROM read_json('/etc/passwd')", "read_json is not allowed"),
        ("SELECT * FROM read_duckdb('x')", "read_duckdb is not allowed"),
        ("SELECT * FROM glob('/*')", "glob is not allowed"),
        ("SELECT * FROM sniff_csv('/etc/passwd')", "sniff_csv is not allowed"),
        ("SELECT * FROM parquet_metadata('CACHE/files/x.parquet')", "parquet_metadata is not allowed"),
        ("SELECT * FROM query('SELECT * FROM ''/etc/passwd''')", "query is not allowed"),
        ("SELECT * FROM query_table('/etc/passwd')", "query_table is not allowed"),
        ("SELECT * FROM json_execute_serialized_sql('{}')", "json_execute_serialized_sql is not allowed"),
        ("SELECT * FROM duckdb_settings()", "duckdb_settings is not allowed"),
        ("SELECT * FROM duckdb_secrets()", "duckdb_secrets is not allowed"),
        ("SELECT * FROM pragma_database_size()", "pragma_database_size is not allowed"),
        ("SELECT * FROM which_secret('x', 's3')", "which_secret is not allowed"),
        ("SELECT * FROM sql_auto_complete('SEL')", "sql_auto_complete is not allowed"),
        ("SELECT * FROM enable_logging()", "enable_logging is not allowed"),
        ("SELECT * FROM range(3), LATERAL (FROM glob('/*'))", "glob is not allowed"),
        ("SELECT getenv('HOME')", "getenv is not allowed"),
        ("SELECT ('HOME').getenv()", "getenv is not allowed"),
        ("SELECT system.main.getenv('HOME')", "getenv is not allowed"),
        ("SELECT current_setting('temp_directory')", "current_setting is not allowed"),
        ("SELECT list_transform([1], x -> current_setting('threads'))", "current_setting is not allowed"),
        ("SELECT count(*) FILTER (WHERE getvariable('x') = 1) FROM events", "getvariable is not allowed"),
        ("SELECT sum(1) OVER (ORDER BY nextval('s'))", "nextval is not allowed"),
        ("SELECT amount FROM events ORDER BY current_setting('threads')", "current_setting is not allowed"),
        ("SELECT amount FROM events LIMIT (SELECT current_setting('threads')::INT)", "current_setting is not allowed"),
        ("SELECT currval('s')", "currval is not allowed"),
        ("SELECT pg_sleep(100)", "pg_sleep is not allowed"),
        ("SELECT sleep_ms(100)", "sleep_ms is not allowed"),
        ("SELECT write_log('x')", "write_log is not allowed"),
        ("SELECT pg_get_viewdef(1)", "pg_get_viewdef is not allowed"),
        ("SELECT json_serialize_plan('SELECT 1')", "json_serialize_plan is not allowed"),
        ("SELECT no_such_function(1)", "no_such_function is not allowed, or does not exist"),
        ("SELECT $1", "Parameters"),
        ("SELECT ?", "Parameters"),
        ("SELECT 1e400", "DOUBLE"),
        ("SELECT " + new string('(', 15_000) + "1" + new string(')', 15_000), ""),
        ("SELECT " + new string('[', 15_000) + "1" + new string(']', 15_000), ""),
        (new string('(', 30_000), ""),
        ("SELECT " + string.Concat(Enumerable.Repeat("NOT ", 7_000)) + "true", ""),
        ("SELECT " + string.Concat(Enumerable.Repeat("abs(", 6_000)) + "1" + new string(')', 6_000), ""),
        (string.Concat(Enumerable.Repeat("SELECT * FROM (", 2_000)) + "FROM range(1)" + new string(')', 2_000), ""),
        (string.Concat(Enumerable.Repeat("WITH x AS (", 1_500)) + "SELECT 1" + string.Concat(Enumerable.Repeat(") SELECT 1", 1_500)), ""),
    ];

    [Fact]
    public async Task Post_Hostile_IsRefusedWithAReasonAndTheServiceLivesOn()
    {
        await using var host = await StartAsync();
        foreach (var (sql, detail) in Hostile)
        {
            var (status, body, text) = await host.PostSqlAsync(sql.Replace("CACHE", host.CacheDirectory, StringComparison.Ordinal));
            var shown = sql.Length > 200 ? sql[..200] : sql;
            Assert.True(status == HttpStatusCode.UnprocessableEntity, $"{shown}: {(int)status} {text}");
            Assert.True(body.GetProperty("detail").GetString()!.Contains(detail, StringComparison.Ordinal), $"{shown}: {text}");
            if (!sql.Contains("CACHE", StringComparison.Ordinal))
                Assert.DoesNotContain(host.CacheDirectory, text);
        }

        Assert.Equal(GoodRows, await host.RowsAsync(Good));
    }

    [Fact]
    public async Task Post_CrossJoinOfBillions_IsStoppedInTime()
    {
        await using var host = await StartAsync(new() { ["Query:SqlTimeout"] = "00:00:00.500" });
        var (status, body, _) = await host.PostSqlAsync("SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE (a.range * b.range) % 7 = 3");
        Assert.Equal(HttpStatusCode.GatewayTimeout, status);
        Assert.Contains("Query:SqlTimeout", body.GetProperty("detail").GetString());
        (status, _, _) = await host.PostSqlAsync("WITH RECURSIVE t AS (SELECT 1 i UNION ALL SELECT i + 1 FROM t) SELECT max(i) FROM t");
        Assert.True(status is HttpStatusCode.GatewayTimeout or HttpStatusCode.UnprocessableEntity, status.ToString());
    }

    [Theory]
    [InlineData("SELECT length(repeat('x', 1000000000))")]
    [InlineData("SELECT length(repeat('x', 100000000 + i)) FROM range(60) t(i)")]
    [InlineData("SELECT length(range(1000000000))")]
    [InlineData("SELECT length(range(100000000 + i)) FROM range(60) t(i)")]
    [InlineData("SELECT list(i) FROM range(1000000000) t(i)")]
    [InlineData("SELECT string_agg('xxxxxxxxxxxxxxxx') FROM range(1000000000)")]
    [InlineData("WITH RECURSIVE t AS (SELECT 'x' i UNION ALL SELECT i || i FROM t) SELECT max(length(i)) FROM t")]
    [InlineData("SELECT i, sum(j) OVER (PARTITION BY j % 7 ORDER BY i) FROM range(100000000) a(i), range(10) b(j)")]
    public async Task Post_HugeValues_AreStoppedAndTheServiceLivesOn(string sql)
    {
        await using var host = await StartAsync(new() { ["Query:SqlMemory"] = "134217728", ["Query:SqlSpillBytes"] = "67108864" });
        var (status, body, text) = await host.PostSqlAsync(sql);
        Assert.True(status == HttpStatusCode.UnprocessableEntity, $"{(int)status} {text}");
        Assert.Equal("Query too large", body.GetProperty("title").GetString());
        Assert.Equal(GoodRows, await host.RowsAsync(Good));
    }

    [Fact]
    public async Task Post_DeepTreesThatTheParserTakes_DoNotEndTheService()
    {
        await using var host = await StartAsync();
        foreach (var sql in (string[])
            ["SELECT 1" + string.Concat(Enumerable.Repeat(" UNION SELECT 1", 2000)), "SELECT count(*) FROM events WHERE " + string.Concat(Enumerable.Repeat("amount > 0 AND ", 2000)) + "true",
             "SELECT 1" + string.Concat(Enumerable.Repeat(" + 1", 8000)), "SELECT {'a': 1}" + string.Concat(Enumerable.Repeat(".a", 10_000))])
        {
            var (status, _, text) = await host.PostSqlAsync(sql);
            Assert.True(status is HttpStatusCode.OK or HttpStatusCode.UnprocessableEntity, text);
        }

        Assert.Equal(GoodRows, await host.RowsAsync(Good));
    }

    [Fact]
    public async Task Post_ClientGoesAway_TheTurnIsFreeAgain()
    {
        await using var host = await StartAsync(new() { ["Query:SqlConcurrent"] = "1", ["Query:SqlTimeout"] = "00:10:00", ["Query:QueueTimeout"] = "00:01:00" });
        using var gone = new CancellationTokenSource();
        var slow = host.Client.PostAsJsonAsync("/v1/sql", new { sql = "SELECT count(*) FROM range(1000000000) a, range(100000) b WHERE (a.range * b.range) % 7 = 3" }, gone.Token);
        await Eventually.TrueAsync(() => Runs(host), "The statement runs");
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slow);
        Assert.Equal(GoodRows, await host.RowsAsync(Good));
        await Eventually.TrueAsync(() => !Runs(host), "The spill is removed");
    }

    [Fact]
    public async Task Post_TooMany_AreAnswered429()
    {
        await using var host = await StartAsync(new() { ["Query:SqlConcurrent"] = "1", ["Query:QueueTimeout"] = "00:00:00", ["Query:SqlTimeout"] = "00:10:00" });
        using var gone = new CancellationTokenSource();
        var slow = host.Client.PostAsJsonAsync("/v1/sql", new { sql = "SELECT count(*) FROM range(1000000000) a, range(100000) b WHERE (a.range * b.range) % 7 = 3" }, gone.Token);
        await Eventually.TrueAsync(() => Runs(host), "The statement runs");
        var (status, _, _) = await host.PostSqlAsync(Good);
        Assert.Equal(HttpStatusCode.TooManyRequests, status);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slow);
    }

    /// <summary>A DuckDB of another version has other functions: each needs a decision.</summary>
    [Fact]
    public void Functions_AllOfTheEngine_AreDecided()
    {
        string[] refused =
        [
            "alias", "can_cast_implicitly", "cast_to_type", "combine", "constant_or_null", "create_sort_key", "current_connection_id", "current_database", "current_query", "current_query_id", "current_schema",
            "current_schemas", "current_setting", "current_transaction_id", "currval", "finalize", "get_type", "getvariable", "icu_sort_key", "in_search_path", "json_deserialize_sql", "json_serialize_plan",
            "json_serialize_sql", "make_type", "nextval", "normalized_interval", "parse_duckdb_log_message", "remap_struct", "replace_type", "setseed", "sleep_ms", "stats", "timetz_byte_comparable", "txid_current",
            "vector_type", "write_log",
        ];
        string[] refusedKinds = ["__internal_", "icu_collate_", "st_", "variant_"];
        using var duckDb = new DuckDBConnection("Data Source=:memory:");
        duckDb.Open();
        var functions = duckDb.Query("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate')").Select(r => (string)r[0]!).ToList();
        var undecided = functions.Where(f => !SqlFunctions.Scalar.Contains(f) && !refused.Contains(f) && !refusedKinds.Any(k => f.StartsWith(k, StringComparison.Ordinal))).ToList();
        Assert.Empty(undecided);
        Assert.All(refused, f => Assert.False(SqlFunctions.Scalar.Contains(f), f));
        var all = duckDb.Query("SELECT DISTINCT function_name FROM duckdb_functions()").Select(r => (string)r[0]!).Append("unlist").Append("!__postfix").ToHashSet(StringComparer.OrdinalIgnoreCase);
        Assert.All(SqlFunctions.Scalar.Concat(SqlFunctions.Table), f => Assert.True(all.Contains(f), f));
    }

    private static bool Runs(QueryHost host) => Directory.EnumerateDirectories(host.CacheDirectory, "sql-*", SearchOption.AllDirectories).Any();

    private async Task<QueryHost> StartAsync(Dictionary<string, string?>? settings = null)
    {
        var host = await QueryHost.StartAsync(platform, settings);
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1.5"));
        return host;
    }
}

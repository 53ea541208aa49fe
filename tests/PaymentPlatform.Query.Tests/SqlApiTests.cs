using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

/// <summary>What <c>POST /v1/sql</c> answers.</summary>
public sealed class SqlApiTests(PlatformFixture platform)
{
    private const long Second = 1_000_000;

    [Fact]
    public async Task Post_Count_AnswersColumnsRowsAndFigures()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1.5"), EventsApiTests.Event(1, "2.25"));
        var answer = await host.SqlAsync("SELECT count(*) AS n, sum(amount) AS total FROM events;");
        Assert.Equal("""[{"name":"n","type":"BIGINT"},{"name":"total","type":"DECIMAL(38,4)"}]""", answer.GetProperty("columns").GetRawText());
        Assert.Equal("[[2,3.75]]", answer.GetProperty("rows").GetRawText());
        Assert.Equal(1, answer.GetProperty("row_count").GetInt64());
        Assert.False(answer.GetProperty("truncated").GetBoolean());
        Assert.True(answer.GetProperty("elapsed_ms").GetDouble() > 0);
        Assert.Equal(1, answer.GetProperty("files").GetInt32());
        Assert.Equal(6, answer.EnumerateObject().Count());
    }

    [Theory]
    [InlineData("1.10::DECIMAL(19, 4)", "DECIMAL(19,4)", "1.1")]
    [InlineData("-0.05::DECIMAL(4, 2)", "DECIMAL(4,2)", "-0.05")]
    [InlineData("100::DECIMAL(9, 0)", "DECIMAL(9,0)", "100")]
    [InlineData("1234567890123456789012345678901234.5678::DECIMAL(38, 4)", "DECIMAL(38,4)", "1234567890123456789012345678901234.5678")]
    [InlineData("-170141183460469231731687303715884105727::HUGEINT", "HUGEINT", "-170141183460469231731687303715884105727")]
    [InlineData("18446744073709551615::UBIGINT", "UBIGINT", "18446744073709551615")]
    [InlineData("0.1::DOUBLE", "DOUBLE", "0.1")]
    [InlineData("'nan'::DOUBLE", "DOUBLE", "\"NaN\"")]
    [InlineData("'-inf'::FLOAT", "FLOAT", "\"-Infinity\"")]
    [InlineData("true", "BOOLEAN", "true")]
    [InlineData("NULL::VARCHAR", "VARCHAR", "null")]
    [InlineData("'é\"\n'", "VARCHAR", "\"é\\\"\\n\"")]
    [InlineData("'thirteen bytes'", "VARCHAR", "\"thirteen bytes\"")]
    [InlineData("'\\x00\\xFFabc'::BLOB", "BLOB", "\"AP9hYmM=\"")]
    [InlineData("TIMESTAMPTZ '2026-01-31 10:00:00.25+02'", "TIMESTAMP WITH TIME ZONE", "\"2026-01-31T08:00:00.250000Z\"")]
    [InlineData("TIMESTAMP 'infinity'", "TIMESTAMP", "\"infinity\"")]
    [InlineData("DATE '2026-02-28'", "DATE", "\"2026-02-28\"")]
    [InlineData("TIME '10:11:12.5'", "TIME", "\"10:11:12.500000\"")]
    [InlineData("INTERVAL '14 months 3 days 90.5 seconds'", "INTERVAL", "\"P1Y2M3DT1M30.5S\"")]
    [InlineData("'0198c7a4-0000-7000-8000-0123456789ab'::UUID", "UUID", "\"0198c7a4-0000-7000-8000-0123456789ab\"")]
    [InlineData("'b'::ENUM('a', 'b')", "ENUM", "\"b\"")]
    [InlineData("[1, NULL, 3]", "INTEGER[]", "[1,null,3]")]
    [InlineData("[DATE '2026-01-01', NULL]::DATE[2]", "DATE[2]", "[\"2026-01-01\",null]")]
    [InlineData("{'a': 1.50::DECIMAL(4, 2), 'b': [{'c': 'x'}]}", "STRUCT(a DECIMAL(4,2), b STRUCT(c VARCHAR)[])", "{\"a\":1.5,\"b\":[{\"c\":\"x\"}]}")]
    [InlineData("MAP {'k': 2}", "MAP(VARCHAR, INTEGER)", "[{\"key\":\"k\",\"value\":2}]")]
    public async Task Post_AnyType_IsExactJson(string expression, string type, string json)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var answer = await host.SqlAsync($"SELECT {expression}");
        Assert.Equal(type, answer.GetProperty("columns")[0].GetProperty("type").GetString());
        Assert.Equal($"[[{json}]]", answer.GetProperty("rows").GetRawText());
        Assert.Equal(0, answer.GetProperty("files").GetInt32());
    }

    [Fact]
    public async Task Post_ManyRowsOfNestedValues_AreTheEnginesOwn()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var rows = (await host.SqlAsync("SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'text ' || i END, [i, i + 1], {'a': i} FROM range(9000) t(i)")).GetProperty("rows");
        Assert.Equal(9000, rows.GetArrayLength());
        for (var i = 0; i < 9000; i++)
            Assert.Equal($"[{i},{(i % 3 == 0 ? "null" : $"\"text {i}\"")},[{i},{i + 1}],{{\"a\":{i}}}]", rows[i].GetRawText());
    }

    [Fact]
    public async Task Post_Questions_AnswerWhatDuckDbSaysOfTheSameFiles()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var names = new List<string>();
        foreach (var file in RandomArchive.Files(new Random(5), files: 12, rows: 400))
            names.Add(await host.Archive.AddFileAsync(file));
        var folder = Directory.CreateTempSubdirectory("query-test-sql-");
        using var duckDb = new DuckDBConnection("Data Source=:memory:");
        duckDb.Open();
        foreach (var (i, name) in names.Index())
            await host.Connections.RawEvents.GetBlobClient(name).DownloadToAsync(Path.Combine(folder.FullName, $"{i}.parquet"));
        duckDb.Execute($"CREATE VIEW all_events AS SELECT * FROM read_parquet('{folder.FullName}/*.parquet')");
        duckDb.Execute("CREATE VIEW events AS SELECT * FROM all_events WHERE coalesce(origin, '') <> 'replay' AND NOT duplicate");

        string[] questions =
        [
            "SELECT count(*), count(DISTINCT transaction_id), sum(amount), min(amount), max(transaction_id) FROM events",
            "SELECT count(*) FROM all_events",
            "SELECT currency, payment_status, count(*) n, sum(amount) s FROM events WHERE is_valid GROUP BY ALL ORDER BY ALL",
            "SELECT merchant_id, sum(amount) AS s FROM events WHERE transaction_timestamp >= '2026-01-01 00:30:00' AND transaction_timestamp < '2026-01-01 01:30:00' GROUP BY 1 ORDER BY s DESC, 1 LIMIT 5",
            "SELECT stream_partition, stream_offset, amount, row_number() OVER (PARTITION BY customer_id ORDER BY stream_partition, stream_offset) FROM events QUALIFY row_number() OVER (PARTITION BY stream_partition ORDER BY stream_offset) <= 5 ORDER BY 1, 2",
            "WITH declined AS (SELECT * FROM events WHERE payment_status = 'declined') SELECT a.transaction_id, count(*) FROM declined a JOIN all_events b USING (transaction_id) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20",
            "SELECT transaction_id FROM events WHERE transaction_timestamp BETWEEN '2026-01-01 00:10:00' AND '2026-01-01 00:11:00' UNION SELECT transaction_id FROM all_events WHERE origin = 'replay' AND transaction_timestamp < '2026-01-01 00:05:00' ORDER BY 1",
            "SELECT origin, is_valid, count(*) FROM all_events GROUP BY ALL ORDER BY ALL",
            "SELECT * FROM (SELECT currency, amount FROM events) PIVOT (sum(amount) FOR currency IN ('EUR', 'USD'))",
        ];
        foreach (var question in questions)
        {
            var expected = duckDb.Query(question).Select(row => $"[{string.Join(',', row.Select(Json))}]");
            Assert.Equal($"[{string.Join(',', expected)}]", await host.RowsAsync(question));
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Post_Views_LeaveReplaysAndRepeatsOutOfEventsOnly()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"), EventsApiTests.Event(1, "2") with { Origin = "replay" }, EventsApiTests.Event(2, "4") with { Origin = "resubmission" });
        Assert.Equal("[[2,5]]", await host.RowsAsync("SELECT count(*), sum(amount) FROM events"));
        Assert.Equal("[[3,7]]", await host.RowsAsync("SELECT count(*), sum(amount) FROM all_events"));
        Assert.Equal("[[1]]", await host.RowsAsync("WITH events AS (SELECT 1) SELECT count(*) FROM Events"));
    }

    [Fact]
    public async Task Post_ArchiveFile_IsTheBlobsNameAndTheLocalNameIsNowhere()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var first = await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        var second = await host.Archive.AddFileAsync(EventsApiTests.Event(1, "2"), EventsApiTests.Event(2, "2"));
        Assert.Equal($"""[["{first}",1],["{second}",2]]""", await host.RowsAsync("SELECT archive_file, count(*) FROM events GROUP BY 1 ORDER BY 1"));
        var columns = (await host.SqlAsync("DESCRIBE events")).GetProperty("rows").EnumerateArray().Select(r => r[0].GetString()!).ToList();
        Assert.Equal(EventColumn.All.Select(c => c.PublicName).Order(), columns.Order());
        foreach (var column in (string[])["filename", "file_row_number", "file_index", "rowid"])
        {
            var (status, _, text) = await host.PostSqlAsync($"SELECT {column} FROM all_events");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
            Assert.DoesNotContain(host.CacheDirectory, text);
        }
    }

    [Theory]
    [InlineData("SELECT count(*) FROM events", 4)]
    [InlineData("SELECT count(*) FROM events WHERE transaction_timestamp >= '2026-01-01 00:16:40'", 3)]
    [InlineData("SELECT count(*) FROM events WHERE transaction_timestamp < TIMESTAMP '2026-01-01 00:16:40' AND amount > 0", 1)]
    [InlineData("SELECT count(*) FROM events e WHERE e.transaction_timestamp BETWEEN '2026-01-01 00:16:40' AND TIMESTAMPTZ '2026-01-01 02:33:20+02'", 2)]
    [InlineData("SELECT count(*) FROM events WHERE '2026-01-01 00:33:20+00'::TIMESTAMPTZ = transaction_timestamp", 1)]
    [InlineData("SELECT count(*) FROM events WHERE transaction_timestamp >= DATE '2026-01-02'", 0)]
    [InlineData("SELECT count(*) FROM events WHERE transaction_timestamp >= '2026-01-01 00:16:40' OR amount > 0", 4)]
    [InlineData("SELECT count(*) FROM events WHERE NOT (transaction_timestamp >= '2026-01-01 00:16:40')", 1)]
    [InlineData("SELECT count(*) FROM events WHERE transaction_timestamp::DATE = '2026-01-01'", 4)]
    [InlineData("SELECT (SELECT count(*) FROM events WHERE transaction_timestamp < '2026-01-01 00:16:40') + (SELECT count(*) FROM all_events WHERE transaction_timestamp >= '2026-01-01 00:50:00')", 4)]
    [InlineData("SELECT (SELECT count(*) FROM events WHERE transaction_timestamp < '2026-01-01 00:16:40') + (SELECT count(*) FROM all_events WHERE transaction_timestamp < '2026-01-01 00:33:20')", 2)]
    [InlineData("SELECT count(*) FROM events a, events b WHERE a.transaction_timestamp < '2026-01-01 00:16:40'", 4)]
    [InlineData("SELECT count(*) FROM events t(transaction_timestamp, a) WHERE a < '2026-01-01 00:16:40'", 4)]
    [InlineData("SELECT count(*) FROM events t(transaction_timestamp) WHERE transaction_timestamp < 't-1'", 4)]
    [InlineData("SELECT count(*) FROM events WHERE transaction_timestamp < 'infinity'", 4)]
    [InlineData("SELECT 1", 0)]
    public async Task Post_BoundsInTheStatement_OpenOnlyTheFilesThatMatter(string sql, int files)
    {
        await using var host = await QueryHost.StartAsync(platform);
        // A file each 1,000 s, of two events.
        for (var i = 0; i < 4; i++)
            await host.Archive.AddFileAsync(EventsApiTests.Event(i * 1000, "1"), EventsApiTests.Event((i * 1000) + 1, "1"));
        Assert.Equal(files, (await host.SqlAsync(sql)).GetProperty("files").GetInt32());
    }

    [Fact]
    public async Task Post_FromAndTo_BoundTheViewsToTheMicrosecond()
    {
        await using var host = await QueryHost.StartAsync(platform);
        for (var i = 0; i < 3; i++)
            await host.Archive.AddFileAsync(EventsApiTests.Event(i * 10, "1"), EventsApiTests.Event((i * 10) + 1, "1"));
        await host.Archive.AddFileAsync(new TestEvent { Offset = 99, EnqueuedAt = RandomArchive.Start, IsValid = false });
        var range = new { from = Text(RandomArchive.Start + Second), to = Text(RandomArchive.Start + (20 * Second)) };
        var answer = await host.SqlAsync("SELECT stream_offset FROM all_events ORDER BY 1", range);
        Assert.Equal("[[1],[10],[11]]", answer.GetProperty("rows").GetRawText());
        Assert.Equal(2, answer.GetProperty("files").GetInt32());
        Assert.Equal("[[7]]", await host.RowsAsync("SELECT count(*) FROM all_events"));
    }

    [Fact]
    public async Task Post_NothingArchived_AnswersEmptyViews()
    {
        await using var host = await QueryHost.StartAsync(platform);
        Assert.Equal("[[0,null]]", await host.RowsAsync("SELECT count(*), max(transaction_timestamp) FROM events"));
        Assert.Equal("[]", await host.RowsAsync("SELECT * FROM all_events WHERE merchant_id LIKE 'm%'"));
    }

    [Fact]
    public async Task Post_FilesOfDifferentColumns_AreReadTogether()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        await host.Archive.AddFileAsync(
            "SELECT 't-9' AS transaction_id, make_timestamp(1767225609000000) AS transaction_timestamp, 9.5::DECIMAL(19, 4) AS amount, 'live' AS origin, false AS duplicate, true AS is_valid, 9::BIGINT AS stream_offset",
            RandomArchive.Start + (9 * Second), RandomArchive.Start + (9 * Second), RandomArchive.Start, RandomArchive.Start, 1, 1);
        Assert.Equal("""[["t-0",1,"EUR"],["t-9",9.5,null]]""", await host.RowsAsync("SELECT transaction_id, amount, currency FROM events ORDER BY 1"));
    }

    [Fact]
    public async Task Post_MoreRowsThanTheLimit_SaysSo()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:SqlRows"] = "5000", ["Query:SqlBytes"] = "100000" });
        var answer = await host.SqlAsync("FROM range(5001)");
        Assert.Equal((5000L, true), (answer.GetProperty("row_count").GetInt64(), answer.GetProperty("truncated").GetBoolean()));
        answer = await host.SqlAsync("FROM range(5000)");
        Assert.Equal((5000L, false), (answer.GetProperty("row_count").GetInt64(), answer.GetProperty("truncated").GetBoolean()));
        answer = await host.SqlAsync("FROM range(7)", new { limit = 3 });
        Assert.Equal("[[0],[1],[2]]", answer.GetProperty("rows").GetRawText());
        Assert.True(answer.GetProperty("truncated").GetBoolean());
        answer = await host.SqlAsync("SELECT repeat('x', 1000) FROM range(4000)");
        Assert.True(answer.GetProperty("truncated").GetBoolean());
        Assert.InRange(answer.GetProperty("rows").GetRawText().Length, 90_000, 100_100);
        Assert.Equal(answer.GetProperty("row_count").GetInt64(), answer.GetProperty("rows").GetArrayLength());
        // The row that does not fit is left out, and those before it stay.
        answer = await host.SqlAsync("SELECT repeat('x', CASE WHEN i = 2 THEN 200000 ELSE 1 END) FROM range(4) t(i)");
        Assert.Equal("""[["x"],["x"]]""", answer.GetProperty("rows").GetRawText());
        Assert.True(answer.GetProperty("truncated").GetBoolean());
        var (status, _, text) = await host.PostSqlAsync("SELECT repeat('x', 200000)");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("One row alone", text);
    }

    [Fact]
    public async Task Post_FilesBeyondTheCache_AreRefusedWithAdvice()
    {
        await using var host = await QueryHost.StartAsync(platform, services: QueryHost.WithCacheOf(20_000));
        for (var i = 0; i < 6; i++)
            await host.Archive.AddFileAsync(EventsApiTests.Event(i * 1000, "1"));
        var (status, body, _) = await host.PostSqlAsync("SELECT count(*) FROM events");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("Query:CacheBytes", body.GetProperty("detail").GetString());
        Assert.Equal("[[1]]", await host.RowsAsync("SELECT count(*) FROM events WHERE transaction_timestamp < '2026-01-01 00:01:00'"));
        Assert.Equal("[[1]]", await host.RowsAsync("SELECT count(*) FROM events", new { to = "2026-01-01T00:01:00Z" }));
    }

    [Theory]
    [InlineData("{}", "sql")]
    [InlineData("""{"sql": 1}""", "sql")]
    [InlineData("""{"sql": "SELECT 1", "sql": "SELECT 2"}""", "sql")]
    [InlineData("""{"sql": "SELECT '\ud800'"}""", "sql")]
    [InlineData("""{"sql": "SELECT 1", "rows": 5}""", "rows")]
    [InlineData("""{"sql": "SELECT 1", "limit": 0}""", "limit")]
    [InlineData("""{"sql": "SELECT 1", "limit": 10001}""", "limit")]
    [InlineData("""{"sql": null}""", "sql")]
    [InlineData("""{"sql": "SELECT 1", "from": "yesterday"}""", "from")]
    [InlineData("""{"sql": "SELECT 1", "from": "2026-01-02", "to": "2026-01-01"}""", "from")]
    public async Task Post_WrongMember_IsNamed(string body, string member)
    {
        await using var host = await QueryHost.StartAsync(platform);
        using var response = await host.Client.PostAsync("/v1/sql", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal([member], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));
    }

    [Fact]
    public async Task Post_WrongBody_IsRefused()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (content, status) in ((HttpContent, int)[])
            [(new StringContent("SELECT 1"), 415), (new StringContent("SELECT 1", Encoding.UTF8, "application/json"), 400), (new StringContent("[]", Encoding.UTF8, "application/json"), 400),
             (new StringContent($$"""{"sql": "SELECT '{{new string('x', 300_000)}}'"}""", Encoding.UTF8, "application/json"), 413), (JsonContent.Create(new { sql = new string(' ', 40_000) }), 400)])
        {
            using var response = await host.Client.PostAsync("/v1/sql", content);
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        }
    }

    [Theory]
    [InlineData("SELEC 1", 1, 1)]
    [InlineData("SELECT é,\n  nothing FROM events", 1, 8)]
    [InlineData("SELECT amount,\n 'é', nothing FROM events", 2, 7)]
    [InlineData("SELECT 'a'::INT", null, null)]
    [InlineData("SELECT\n getenv('HOME')", 2, 2)]
    public async Task Post_FaultyStatement_SaysWhere(string sql, int? line, int? column)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var (status, body, text) = await host.PostSqlAsync(sql);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.NotEmpty(body.GetProperty("detail").GetString()!);
        if (line is null)
            return;
        Assert.True(body.TryGetProperty("line", out var at), text);
        Assert.Equal((line, column), (at.GetInt32(), body.GetProperty("column").GetInt32()));
    }

    [Fact]
    public async Task Post_DamagedParquet_NamesTheBlobAndNoLocalPath()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var name = await host.Archive.AddParquetAsync([.. "PAR1"u8, .. new byte[100], .. "PAR1"u8], RandomArchive.Start, RandomArchive.Start, RandomArchive.Start, RandomArchive.Start, 1, 1);
        var (status, body, text) = await host.PostSqlAsync("SELECT count(amount) FROM events");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains(name, body.GetProperty("detail").GetString());
        Assert.DoesNotContain(host.CacheDirectory, text);
    }

    private static string Text(long micros) => EventJson.Format(Timestamps.ToDateTime(micros));

    private static string Json(object? value) => value switch
    {
        null => "null",
        bool b => b ? "true" : "false",
        string s => JsonSerializer.Serialize(s, new JsonSerializerOptions { Encoder = EventJson.WriterOptions.Encoder }),
        decimal d => ExactNumbers.Format(d),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}

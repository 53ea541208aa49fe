using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>Whoever asks while files are written and merged sees each event once, and all that were archived before.</summary>
public sealed class CompactionTests : IDisposable
{
    private const int Batch = 100;
    private const int Batches = 150;

    private readonly string _data = Directory.CreateTempSubdirectory("platform-compaction-").FullName;
    private readonly DateTime _from = DateTime.UtcNow.AddHours(-6);

    /// <summary>Ids that an answer has shown: every later one has to.</summary>
    private readonly ConcurrentDictionary<string, bool> _seen = new();

    [Fact]
    public async Task Queries_DuringCompactionAndArchiving_SeeEachEventOnce()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var platform = await PlatformProcess.RunAsync(
            _data,
            "--services ingest,archiver,query --simulator off -- --Archiver:FlushAge=00:00:00.200 --Archiver:CompactionInterval=00:00:00.300 --Archiver:CompactionDelay=00:00:00 --Archiver:CompactionRows=6000 --Query:SqlRows=20000 --Query:SqlTimeout=00:02:00 --Query:QueueTimeout=00:02:00",
            cancellationToken: cancellation);
        await using var database = NpgsqlDataSource.Create((await platform.ConnectionsAsync(cancellation)).Paymentsdb);
        // Everything arrives in hours that are over, and now and then the clock steps back by a few seconds.
        await ExecuteAsync(
            database,
            """
            CREATE FUNCTION earlier() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.enqueued_at := NEW.enqueued_at - interval '4 hours' + NEW.first_offset / 1500 * interval '1 hour' - NEW.first_offset / 100 % 3 * interval '5 seconds'; RETURN NEW; END $$;
            CREATE TRIGGER earlier BEFORE INSERT ON stream_batches FOR EACH ROW EXECUTE FUNCTION earlier()
            """);

        using var http = new HttpClient { BaseAddress = platform.Url, Timeout = TimeSpan.FromMinutes(2) };
        using var stop = new CancellationTokenSource();
        var asking = new[]
        {
            AskAsync(ListAsync), AskAsync(() => ExportAsync("application/x-ndjson")), AskAsync(() => ExportAsync("text/csv")), AskAsync(() => ExportAsync("application/vnd.apache.parquet")), AskAsync(QueryAsync), CountAsync(), LookUpAsync(),
        };
        for (var batch = 0; batch < Batches; batch++)
        {
            var lines = Enumerable.Range(batch * Batch, Batch).Select(i =>
                $$"""{"transaction_id":"tx-{{i}}","transaction_timestamp":"{{_from.AddSeconds(1 + i * 0.1).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)}}","amount":1.00,"currency":"EUR","payment_method":"credit_card","payment_status":"completed","customer_id":"c-{{i % 50}}"}""");
            using var answer = await http.PostAsync("v1/transactions", new StringContent(string.Join('\n', lines), Encoding.UTF8, "application/x-ndjson"), cancellation);
            answer.EnsureSuccessStatusCode();
            await Task.Delay(50, cancellation);
        }

        await Eventually.TrueAsync(async () => await ArchivedAsync() == Batch * Batches, "all is archived");
        await Eventually.TrueAsync(
            async () => await ScalarAsync(database, "SELECT count(*) FROM raw_event_files WHERE state = 'superseded'") > 20 && await ScalarAsync(database, "SELECT count(*) FROM raw_event_files WHERE state = 'live'") < 20,
            "small files are merged");
        await stop.CancelAsync();
        await Task.WhenAll(asking);
        Assert.Equal(Batch * Batches, (await ListAsync()).Count);

        async Task AskAsync(Func<Task<List<string>>> ask)
        {
            for (var times = 0; !stop.IsCancellationRequested || times < 3; times++)
            {
                var expected = _seen.Keys.ToHashSet();
                var archived = await ArchivedAsync();
                var ids = await ask();
                Assert.Equal(ids.Count, ids.Distinct().Count());
                Assert.InRange(ids.Count, archived, Batch * Batches);
                expected.ExceptWith(ids);
                Assert.Empty(expected);
                foreach (var id in ids)
                    _seen[id] = true;
            }
        }

        async Task CountAsync()
        {
            for (var times = 0; !stop.IsCancellationRequested || times < 3; times++)
            {
                var archived = await ArchivedAsync();
                var row = (await SqlAsync("SELECT count(*), count(DISTINCT transaction_id), count(DISTINCT (stream_log_id, stream_partition, stream_offset)) FROM all_events"))[0].Deserialize<long[]>()!;
                Assert.InRange(row[0], archived, Batch * Batches);
                Assert.Equal([row[0], row[0], row[0]], row);
            }
        }

        Task<long> ArchivedAsync() => ScalarAsync(database, "SELECT coalesce(sum(row_count), 0)::bigint FROM raw_event_files WHERE state = 'live'");

        async Task<JsonElement> SqlAsync(string sql)
        {
            using var answer = await http.PostAsJsonAsync("v1/sql", new { sql }, cancellation);
            var text = await answer.Content.ReadAsStringAsync(cancellation);
            Assert.True(answer.IsSuccessStatusCode, text);
            var result = JsonDocument.Parse(text).RootElement;
            Assert.False(result.GetProperty("truncated").GetBoolean());
            return result.GetProperty("rows");
        }

        async Task<List<string>> QueryAsync() => [.. (await SqlAsync("SELECT transaction_id FROM events")).EnumerateArray().Select(row => row[0].GetString()!)];

        async Task<List<string>> ListAsync()
        {
            var ids = new List<string>();
            for (string? cursor = null; ;)
            {
                var page = await http.GetFromJsonAsync<JsonElement>($"{Events}&limit=700{(cursor is null ? "" : $"&cursor={cursor}")}", cancellation);
                ids.AddRange(page.GetProperty("items").EnumerateArray().Select(e => e.GetProperty("transaction_id").GetString()!));
                cursor = page.GetProperty("next_cursor").GetString();
                if (cursor is null)
                    return ids;
            }
        }

        async Task<List<string>> ExportAsync(string format)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Events);
            request.Headers.TryAddWithoutValidation("Accept", format);
            using var answer = await http.SendAsync(request, cancellation);
            answer.EnsureSuccessStatusCode();
            if (format == "application/vnd.apache.parquet")
                return answer.StatusCode == HttpStatusCode.NoContent ? [] : ParquetIds(await answer.Content.ReadAsByteArrayAsync(cancellation));
            var lines = (await answer.Content.ReadAsStringAsync(cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            return format == "text/csv"
                ? [.. lines.Skip(1).Select(line => line[..line.IndexOf(',')])]
                : [.. lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("transaction_id").GetString()!)];
        }

        async Task LookUpAsync()
        {
            var random = new Random(1);
            while (!stop.IsCancellationRequested)
            {
                if (_seen.Keys.ElementAtOrDefault(random.Next(_seen.Count + 1)) is not { } id)
                {
                    await Task.Delay(20, cancellation);
                    continue;
                }

                var found = await http.GetFromJsonAsync<JsonElement>($"v1/transactions/{id}", cancellation);
                Assert.Equal(1, found.GetProperty("events").GetArrayLength());
            }
        }
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private string Events => string.Create(CultureInfo.InvariantCulture, $"v1/events?from={_from:yyyy-MM-dd'T'HH:mm:ss'Z'}&to={_from.AddHours(2):yyyy-MM-dd'T'HH:mm:ss'Z'}");

    private List<string> ParquetIds(byte[] parquet)
    {
        var path = Path.Combine(_data, $"{Guid.NewGuid():N}.parquet");
        File.WriteAllBytes(path, parquet);
        using var duckDb = new DuckDBConnection("DataSource=:memory:");
        duckDb.Open();
        return [.. duckDb.Query($"SELECT transaction_id FROM read_parquet('{path}')").Select(row => (string)row[0]!)];
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}

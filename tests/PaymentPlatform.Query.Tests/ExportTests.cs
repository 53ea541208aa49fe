using System.Text;
using DuckDB.NET.Data;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class ExportTests(PlatformFixture platform)
{
    [Fact]
    public async Task Csv_OddTexts_FollowRfc4180AndGuardFormulas()
    {
        await using var host = await QueryHost.StartAsync(platform);
        string[] names = ["plain", "with,comma", "with \"quote\"", "two\r\nlines", "=1+1", "+cmd", "-2", "@sum", "\ttab", "", " spaced ", "größe"];
        await host.Archive.AddFileAsync([.. names.Select((n, i) => EventsApiTests.Event(i, "-1.5") with { MerchantName = n, RawPayload = i == 1 ? [0xff] : Encoding.UTF8.GetBytes(n) }), EventsApiTests.Event(names.Length, "1.2300")]);

        var guarded = Parse(await host.GetTextAsync("/v1/events", "text/csv"));
        var kept = Parse(await host.GetTextAsync("/v1/events?csv_formulas=keep", "text/csv;q=0.9, image/png"));
        var merchant = Array.IndexOf(kept[0], "merchant_name");
        var raw = Array.IndexOf(kept[0], "raw_payload");
        Assert.Equal(names, kept.Skip(1).Take(names.Length).Select(r => r[merchant]));
        Assert.Equal(names.Select(n => n.Length > 0 && "=+-@\t\r".Contains(n[0]) ? "'" + n : n), guarded.Skip(1).Take(names.Length).Select(r => r[merchant]));
        Assert.All(guarded, r => Assert.Equal(guarded[0].Length, r.Length));
        Assert.Equal("raw_payload_base64", kept[0][raw + 1]);
        Assert.Equal(("", "/w=="), (kept[2][raw], kept[2][raw + 1]));
        Assert.Equal(("two\r\nlines", ""), (kept[4][raw], kept[4][raw + 1]));
        Assert.Equal("-1.5", guarded[1][Array.IndexOf(guarded[0], "amount")]);
        Assert.Equal("1.23", guarded[^1][Array.IndexOf(guarded[0], "amount")]);
        Assert.Equal("2026-01-01T00:00:00.000000Z", guarded[1][Array.IndexOf(guarded[0], "transaction_timestamp")]);
    }

    [Fact]
    public async Task Export_ClientGone_FreesItsTurn()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:ConcurrentExports"] = "1", ["Query:QueueTimeout"] = "00:00:30", ["Query:SliceRows"] = "500" });
        var payload = new byte[20_000];
        new Random(1).NextBytes(payload);
        for (var file = 0; file < 4; file++)
            await host.Archive.AddFileAsync([.. Enumerable.Range(file * 500, 500).Select(i => EventsApiTests.Event(i, "1") with { RawPayload = payload })]);
        for (var round = 0; round < 3; round++)
        {
            using var abandon = new CancellationTokenSource();
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events") { Headers = { { "Accept", "application/x-ndjson" } } };
            using var response = await host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, abandon.Token);
            var stream = await response.Content.ReadAsStreamAsync(abandon.Token);
            Assert.True(await stream.ReadAsync(new byte[1000], abandon.Token) > 0);
            await abandon.CancelAsync();
        }

        Assert.Equal(2000, (await host.GetTextAsync("/v1/events", "application/x-ndjson")).Count(c => c == '\n'));
    }

    [Fact]
    public async Task Export_NoTurnInTime_429WithRetryAfterWhilePagesGoOn()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:ConcurrentExports"] = "1", ["Query:QueueTimeout"] = "00:00:00.2" });
        var payload = new byte[50_000];
        new Random(1).NextBytes(payload);
        await host.Archive.AddFileAsync([.. Enumerable.Range(0, 600).Select(i => EventsApiTests.Event(i, "1") with { RawPayload = payload })]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events") { Headers = { { "Accept", "application/x-ndjson" } } };
        // Its reader stops after the first bytes: 40 MB don't fit into the buffers between.
        using var slow = await host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var second = new HttpRequestMessage(HttpMethod.Get, "/v1/events") { Headers = { { "Accept", "text/csv" } } };
        using var refused = await host.Client.SendAsync(second);
        Assert.Equal(429, (int)refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Equal(5, (await host.GetAsync("/v1/events?limit=5")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task Parquet_SeveralSlices_EqualsTheNdJson()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:SliceRows"] = "150" });
        foreach (var file in RandomArchive.Files(new(11), 6, 100))
            await host.Archive.AddFileAsync(file);
        var expected = (await host.GetAllAsync("/v1/events?currency=EUR&limit=1000")).Select(i => (EventsApiTests.MessageId(i), i.GetProperty("archive_file").GetString())).ToList();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events?currency=EUR") { Headers = { { "Accept", "application/vnd.apache.parquet" } } };
        using var response = await host.Client.SendAsync(request);
        Assert.Equal("application/vnd.apache.parquet", response.Content.Headers.ContentType?.MediaType);
        var path = Path.Combine(host.CacheDirectory, "result.parquet");
        await File.WriteAllBytesAsync(path, await response.Content.ReadAsByteArrayAsync());
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT message_id, archive_file FROM read_parquet('{path}')";
        using var reader = command.ExecuteReader();
        var rows = new List<(string, string?)>();
        while (reader.Read())
            rows.Add((reader.GetString(0), reader.GetString(1)));
        Assert.Equal(expected, rows);
        Assert.DoesNotContain(Directory.GetFiles(host.CacheDirectory, "*", SearchOption.AllDirectories), f => f.Contains("/temp/"));
    }

    /// <summary>RFC 4180, strictly.</summary>
    internal static List<string[]> Parse(string csv)
    {
        var rows = new List<string[]>();
        var row = new List<string>();
        var i = 0;
        while (i < csv.Length)
        {
            var cell = new StringBuilder();
            if (csv[i] == '"')
            {
                for (i++; csv[i] != '"' || csv[i + 1] == '"'; i++)
                {
                    cell.Append(csv[i]);
                    if (csv[i] == '"')
                        i++;
                }

                i++;
            }
            else
            {
                for (; csv[i] is not (',' or '\r'); i++)
                {
                    Assert.True(csv[i] is not ('"' or '\n'), "A quote or a line end outside quotes.");
                    cell.Append(csv[i]);
                }
            }

            row.Add(cell.ToString());
            if (csv[i] == ',')
            {
                i++;
                continue;
            }

            Assert.Equal("\r\n", csv.Substring(i, 2));
            i += 2;
            rows.Add([.. row]);
            row.Clear();
        }

        return rows;
    }
}

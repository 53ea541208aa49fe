using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>What the README promises: run, post the real events, find them everywhere.</summary>
public sealed class EndToEndTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("platform-e2e-").FullName;

    [Fact]
    public async Task Run_RealEventsPosted_AreArchivedFoundAndCountedAndSurviveARestart()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var lines = (await File.ReadAllTextAsync(TestPaths.RealEvents(), cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await using (var platform = await PlatformProcess.RunAsync(_data, "--simulator off", cancellationToken: cancellation))
        {
            using var http = new HttpClient { BaseAddress = platform.Url };
            using var body = new StringContent(string.Join('\n', lines) + "\n", Encoding.UTF8);
            body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
            using var answer = await http.PostAsync("v1/transactions", body, cancellation);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            var receipt = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellation);
            Assert.Equal(lines.Length, receipt.GetProperty("accepted").GetInt32());
            Assert.Equal(0, receipt.GetProperty("rejected_count").GetInt32());

            await AssertEachFoundAsync(http, lines, cancellation);
            await AssertFiguresAsync(http, lines, cancellation);
            using (var archive = await Archive.OpenAsync(await platform.ConnectionsAsync(cancellation), cancellation))
                Assert.Equal(lines.Length, archive.Count("SELECT count(*) FROM events"));
            await AssertProblemAsync(http, "v1/nothing-here", HttpStatusCode.NotFound, "There is nothing at /v1/nothing-here.", cancellation);
            await AssertProblemAsync(http, "v1/transactions", HttpStatusCode.MethodNotAllowed, "/v1/transactions does not take GET; it takes POST.", cancellation);
            Assert.Equal(0, await platform.StopAsync(cancellation));
        }

        await using var again = await PlatformProcess.RunAsync(_data, "--simulator off", cancellationToken: cancellation);
        using var second = new HttpClient { BaseAddress = again.Url };
        await AssertEachFoundAsync(second, lines, cancellation);
        await AssertFiguresAsync(second, lines, cancellation);
        Assert.Equal(0, await again.StopAsync(cancellation));
    }

    [Fact]
    public async Task Run_FiltersOverTheBlobs_SameAsAScanWithoutStatistics()
    {
        const int Events = 4_000;
        var cancellation = TestContext.Current.CancellationToken;
        await using var platform = await PlatformProcess.RunAsync(_data, "--simulator off -- --Archiver:FlushRows=500", cancellationToken: cancellation);
        using var http = new HttpClient { BaseAddress = platform.Url };
        using var body = new StringContent(string.Join('\n', VariedEvents(new(5), Events)), Encoding.UTF8, "application/x-ndjson");
        using var answer = await http.PostAsync("v1/transactions", body, cancellation);
        var receipt = await answer.Content.ReadAsStringAsync(cancellation);
        Assert.True(receipt.StartsWith($"{{\"accepted\":{Events},", StringComparison.Ordinal), receipt[..Math.Min(500, receipt.Length)]);
        var connections = await platform.ConnectionsAsync(cancellation);
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        await using var archived = database.CreateCommand("SELECT coalesce(sum(row_count), 0)::bigint FROM raw_event_files WHERE state = 'live'");
        await Eventually.TrueAsync(async () => (long)(await archived.ExecuteScalarAsync(cancellation))! == Events, "all archived");

        using (var archive = await Archive.OpenAsync(connections, cancellation))
        {
            Assert.True(Directory.GetFiles(Path.GetDirectoryName(archive.Files)!).Length >= 8);
            var found = ColumnFilters.AssertSameAsScan(archive.DuckDb, filters: 200, seed: 6);
            Assert.True(found > 10 * Events, $"The filters find next to nothing ({found} rows): they test nothing.");
        }

        Assert.Equal(0, await platform.StopAsync(cancellation));
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    /// <summary>Nulls, empty and long texts, several scripts, a month of times, amounts of every size.</summary>
    private static IEnumerable<string> VariedEvents(Random random, int count)
    {
        string?[] names = [null, "", "Zoë & Søn", "株式会社", "😀 bakery", "~", "ÿ", new string('m', 300), "zzz", "Ünïted"];
        string[] currencies = ["EUR", "JPY", "BHD", "USD"];
        for (var i = 0; i < count; i++)
        {
            yield return JsonSerializer.Serialize(new Dictionary<string, object?>
            {
                ["transaction_id"] = $"tx-{random.Next(count)}",
                ["transaction_timestamp"] = new DateTime(2025, 11, 1, 0, 0, 0, DateTimeKind.Utc).AddMicroseconds(random.NextInt64(30L * 86_400_000_000)),
                ["amount"] = Math.Round((decimal)Math.Pow(10, random.NextDouble() * 12 - 3), 4) + 0.0001m,
                ["currency"] = currencies[random.Next(currencies.Length)],
                ["payment_method"] = random.Next(3) == 0 ? "carte bleue é" : "credit_card",
                ["payment_status"] = random.Next(2) == 0 ? "completed" : "declined",
                ["customer_id"] = random.Next(4) == 0 ? null : $"C{random.Next(50)}",
                ["merchant_name"] = names[random.Next(names.Length)],
                ["customer_country"] = random.Next(3) == 0 ? null : "FR",
                ["metadata"] = random.Next(3) == 0 ? null : new Dictionary<string, object?> { ["note"] = names[random.Next(names.Length)], ["risk_score"] = random.Next(101) / 100m },
            });
        }
    }

    /// <summary>Errors that no endpoint made are problem details too.</summary>
    private static async Task AssertProblemAsync(HttpClient http, string path, HttpStatusCode status, string detail, CancellationToken cancellation)
    {
        using var answer = await http.GetAsync(path, cancellation);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(detail, (await answer.Content.ReadFromJsonAsync<JsonElement>(cancellation)).GetProperty("detail").GetString());
    }

    private static async Task AssertEachFoundAsync(HttpClient http, string[] lines, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        foreach (var line in lines)
        {
            using var sent = JsonDocument.Parse(line);
            var id = sent.RootElement.GetProperty("transaction_id").GetString();
            HttpResponseMessage found;
            while ((found = await http.GetAsync($"v1/transactions/{id}", patience.Token)).StatusCode == HttpStatusCode.NotFound)
            {
                found.Dispose();
                await Task.Delay(200, patience.Token);
            }

            Assert.Equal(HttpStatusCode.OK, found.StatusCode);
            var payment = await found.Content.ReadFromJsonAsync<JsonElement>(patience.Token);
            found.Dispose();
            var stored = Assert.Single(payment.GetProperty("events").EnumerateArray());
            Assert.Equal(line, stored.GetProperty("raw_payload").GetString());
            Assert.True(stored.GetProperty("is_valid").GetBoolean());
            Assert.EndsWith(".parquet", stored.GetProperty("archive_file").GetString());
        }
    }

    private static async Task AssertFiguresAsync(HttpClient http, string[] lines, CancellationToken cancellation)
    {
        var expected = lines.Select(line => JsonDocument.Parse(line).RootElement)
            .GroupBy(e => e.GetProperty("currency").GetString()!)
            .ToDictionary(
                g => g.Key,
                g => (Count: g.Count(), Completed: g.Where(e => e.GetProperty("payment_status").GetString() == "completed").Sum(e => e.GetProperty("amount").GetDecimal())));
        var times = lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("transaction_timestamp").GetString()!)
            .Select(t => DateTime.Parse(t, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal)).ToList();
        var from = times.Min().Date.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var to = times.Max().Date.AddDays(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var metrics = await http.GetFromJsonAsync<JsonElement>($"v1/metrics/payments?from={from}&to={to}&granularity=1d", cancellation);
        var actual = metrics.GetProperty("items").EnumerateArray()
            .GroupBy(i => i.GetProperty("currency").GetString()!)
            .ToDictionary(g => g.Key, g => (Count: g.Sum(i => i.GetProperty("payment_count").GetInt32()), Completed: g.Sum(i => i.GetProperty("processed_amount").GetDecimal())));
        Assert.Equal(expected.OrderBy(e => e.Key), actual.OrderBy(e => e.Key));
    }
}

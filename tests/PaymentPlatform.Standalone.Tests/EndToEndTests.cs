using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

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
            await AssertProblemAsync(http, "v1/nothing-here", HttpStatusCode.NotFound, cancellation);
            await AssertProblemAsync(http, "v1/transactions", HttpStatusCode.MethodNotAllowed, cancellation);
            Assert.Equal(0, await platform.StopAsync(cancellation));
        }

        await using var again = await PlatformProcess.RunAsync(_data, "--simulator off", cancellationToken: cancellation);
        using var second = new HttpClient { BaseAddress = again.Url };
        await AssertEachFoundAsync(second, lines, cancellation);
        await AssertFiguresAsync(second, lines, cancellation);
        Assert.Equal(0, await again.StopAsync(cancellation));
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    /// <summary>Errors that no endpoint made are problem details too.</summary>
    private static async Task AssertProblemAsync(HttpClient http, string path, HttpStatusCode status, CancellationToken cancellation)
    {
        using var answer = await http.GetAsync(path, cancellation);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
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

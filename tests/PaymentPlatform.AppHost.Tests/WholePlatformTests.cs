using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Testing;

namespace PaymentPlatform.AppHost.Tests;

/// <summary>From the front door to the answers, over the Event Hubs emulator, Azurite and PostgreSQL in containers.</summary>
public sealed class WholePlatformTests(AppHostFixture platform)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    // A time of their own keeps these events apart from all others.
    private readonly DateTime _window = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(5L * Random.Shared.Next(800_000));
    private readonly string _run = Guid.NewGuid().ToString("N");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(PlatformNames.Ingest)]
    [InlineData(PlatformNames.BlobArchiver)]
    [InlineData(PlatformNames.Metrics)]
    [InlineData(PlatformNames.Query)]
    public async Task Health_EveryService_ReadyAndAlive(string service)
    {
        using var http = platform.CreateClient(service);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(PlatformNames.ReadyPath, Token)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(PlatformNames.AlivePath, Token)).StatusCode);
    }

    [Fact]
    public async Task PostedEvents_ArchivedCountedAndQueryableExactlyOnce()
    {
        const int payments = 200;
        using var answer = await PostAsync(Enumerable.Range(0, payments).Select(i => Event(i, "pending")).Concat(Enumerable.Range(0, payments).Select(i => Event(i, "completed"))));
        Assert.Equal(2 * payments, answer.RootElement.GetProperty("accepted").GetInt32());

        using var http = platform.CreateClient(PlatformNames.Query);
        await Eventually.TrueAsync(async () => await CountAsync(http) == 2 * payments, "every event counted", s_patience);
        await Eventually.TrueAsync(async () => (await TrailAsync(http, payments - 1)).Count == 2, "the last payment archived", s_patience);
        for (var i = 0; i < payments; i += 20)
            await Eventually.TrueAsync(async () => (await TrailAsync(http, i)).SequenceEqual(["pending", "completed"]), $"payment {i} archived, in order", s_patience);

        using var files = await GetAsync(http, $"/v1/archive/files?from={From}&to={To}&limit=1000");
        // Files may hold events of other tests as well.
        Assert.True(files.RootElement.GetProperty("items").EnumerateArray().Sum(file => file.GetProperty("row_count").GetInt32()) >= 2 * payments);
        // Counted once means still so much later: nothing was read twice.
        Assert.Equal(2 * payments, await CountAsync(http));
    }

    [Fact]
    public async Task PostedAgainUnderTheSameKey_CountsOnce()
    {
        var events = Enumerable.Range(0, 10).Select(i => Event(i, "completed")).ToList();
        using var first = await PostAsync(events, key: _run);
        using var second = await PostAsync(events, key: _run);
        Assert.Equal(first.RootElement.GetRawText(), second.RootElement.GetRawText());

        using var http = platform.CreateClient(PlatformNames.Query);
        await Eventually.TrueAsync(async () => await CountAsync(http) >= events.Count, "the events counted", s_patience);
        // What comes after them in the same partitions is in: a repeat would have been counted before it.
        using var later = await PostAsync([.. events.Select((_, i) => Event(i, "refunded"))]);
        await Eventually.TrueAsync(async () => (await TrailAsync(http, 9)).Contains("refunded"), "the later events archived", s_patience);
        Assert.Equal(2 * events.Count, await CountAsync(http));
    }

    [Fact]
    public async Task Pipeline_AfterTraffic_ShowsBothGroupsAndNoLag()
    {
        using var answer = await PostAsync([Event(0, "completed")]);
        using var http = platform.CreateClient(PlatformNames.Query);
        await Eventually.TrueAsync(async () =>
        {
            using var pipeline = await GetAsync(http, "/v1/pipeline");
            var items = pipeline.RootElement.GetProperty("items").EnumerateArray().Select(item => item.Clone()).ToList();
            var groups = items.Select(item => item.GetProperty("consumer_group").GetString()).Distinct().Order().ToArray();
            return groups is [PlatformNames.ArchiverGroup, PlatformNames.MetricsGroup] && items.All(item => item.GetProperty("lag").GetInt64() == 0);
        }, "both groups caught up", s_patience);
    }

    [Fact]
    public async Task PostedInvalidEvent_RefusedWithItsErrors()
    {
        using var http = platform.CreateClient(PlatformNames.Ingest);
        using var answer = await http.PostAsync("/v1/transactions", Ndjson(["""{"transaction_id":"x","amount":-1}"""]), Token);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync(Token));
        Assert.Equal(1, body.RootElement.GetProperty("rejected_count").GetInt32());
    }

    private string From => _window.ToString("yyyy-MM-ddTHH:mm:ssZ");

    private string To => _window.AddMinutes(5).ToString("yyyy-MM-ddTHH:mm:ssZ");

    private string Event(int payment, string status) =>
        $$"""{"transaction_id":"{{_run}}-{{payment}}","transaction_timestamp":"{{_window.AddSeconds(payment):yyyy-MM-ddTHH:mm:ssZ}}","amount":19.90,"currency":"EUR","payment_method":"credit_card","payment_status":"{{status}}","customer_id":"{{_run}}-{{payment}}"}""";

    private static StringContent Ndjson(IEnumerable<string> events) => new(string.Join('\n', events), Encoding.UTF8, new MediaTypeHeaderValue("application/x-ndjson"));

    private async Task<JsonDocument> PostAsync(IEnumerable<string> events, string? key = null)
    {
        using var http = platform.CreateClient(PlatformNames.Ingest);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/transactions") { Content = Ndjson(events) };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        using var answer = await http.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Token));
    }

    private static async Task<JsonDocument> GetAsync(HttpClient http, string path)
    {
        using var answer = await http.GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Token));
    }

    private async Task<long> CountAsync(HttpClient http)
    {
        using var figures = await GetAsync(http, $"/v1/metrics/payments?from={From}&to={To}&granularity=5m&metrics=payment_count");
        return figures.RootElement.GetProperty("items").EnumerateArray().Sum(item => item.GetProperty("payment_count").GetInt64());
    }

    /// <summary>The statuses of a payment's archived events.</summary>
    private async Task<List<string?>> TrailAsync(HttpClient http, int payment)
    {
        using var answer = await http.GetAsync($"/v1/transactions/{_run}-{payment}", Token);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return [];
        using var trail = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Token));
        return [.. trail.RootElement.GetProperty("events").EnumerateArray().Where(e => e.GetProperty("archive_file").ValueKind == JsonValueKind.String).Select(e => e.GetProperty("payment_status").GetString())];
    }
}

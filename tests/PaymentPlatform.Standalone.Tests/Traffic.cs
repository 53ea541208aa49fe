using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>Posts events at a steady rate, each batch under an Idempotency-Key and again until it is answered; knows every id that was accepted.</summary>
public sealed class Traffic(Uri url, int ratePerSecond, int seed)
{
    private static readonly string[] Methods = ["credit_card", "debit_card", "bank_transfer", "digital_wallet"];
    private static readonly string[] Statuses = ["completed", "completed", "completed", "declined", "failed", "pending"];
    private static readonly string[] Currencies = ["USD", "EUR", "GBP", "JPY"];
    private const int BatchSize = 100;

    public HashSet<string> Accepted { get; } = [];

    public async Task RunAsync(CancellationToken stop)
    {
        var random = new Random(seed);
        using var http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(20) };
        var clock = Stopwatch.StartNew();
        for (var batch = 0; !stop.IsCancellationRequested; batch++)
        {
            var due = TimeSpan.FromSeconds((double)batch * BatchSize / ratePerSecond);
            if (due > clock.Elapsed)
                await Task.Delay(due - clock.Elapsed, CancellationToken.None);
            var (ids, body) = Batch(random, batch);
            await PostAsync(http, $"traffic-{seed}-{batch}", body);
            Accepted.UnionWith(ids);
        }
    }

    private (List<string> Ids, byte[] Body) Batch(Random random, int batch)
    {
        var ids = new List<string>(BatchSize);
        var body = new StringBuilder();
        for (var i = 0; i < BatchSize; i++)
        {
            var id = $"tx-{seed}-{batch}-{i}";
            ids.Add(id);
            // A tenth of the events are up to an hour late.
            var time = DateTime.UtcNow.AddSeconds(random.Next(10) == 0 ? -random.Next(3600) : 0).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
            body.Append(CultureInfo.InvariantCulture, $$"""
                {"transaction_id":"{{id}}","transaction_timestamp":"{{time}}","amount":{{random.Next(1, 1_000_000)}}.{{random.Next(100):00}},"currency":"{{Pick(random, Currencies)}}","payment_method":"{{Pick(random, Methods)}}","payment_status":"{{Pick(random, Statuses)}}","customer_id":"CUST-{{random.Next(500)}}","merchant_name":"Zoë & 株式会社"}
                """).Append('\n');
        }

        return (ids, Encoding.UTF8.GetBytes(body.ToString()));
    }

    private static string Pick(Random random, string[] values) => values[random.Next(values.Length)];

    private static async Task PostAsync(HttpClient http, string key, byte[] body)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "v1/transactions") { Content = new ByteArrayContent(body) };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
                request.Headers.Add("Idempotency-Key", key);
                using var answer = await http.SendAsync(request);
                if (answer.StatusCode == HttpStatusCode.Accepted)
                    return;
                if (answer.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests))
                    throw new InvalidOperationException($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && attempt < 100)
            {
            }

            await Task.Delay(100);
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>`visibility`: how long from the 202 of an event until /v1/metrics/payments counts it, under a background load.</summary>
internal static class VisibilityBenchmark
{
    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var cancellationToken = CancellationToken.None;
        var (rate, probes) = (arguments.Number("rate", 2_000), arguments.Number("probes", 300));
        using var platform = await PlatformUnderTest.StartAsync(cancellationToken);
        using var generator = platform.StartGenerator(rate, long.MaxValue / 2, seed: 2);
        try
        {
            await Task.Delay(5000, cancellationToken);
            var waits = new List<double>();
            for (var i = 0; i < probes; i++)
            {
                waits.Add(await ProbeAsync(platform.Http, i, cancellationToken));
                await Task.Delay(Random.Shared.Next(50, 200), cancellationToken);
            }

            waits.Sort();
            Console.WriteLine($"{probes} probes at {rate:N0} events/s, 202 to visible: p50 {Quantile(waits, 0.5):0} ms, p90 {Quantile(waits, 0.9):0} ms, p99 {Quantile(waits, 0.99):0} ms, most {waits[^1]:0} ms");
            return [new("visibility p50", Quantile(waits, 0.5), null, "ms"), new("visibility p99", Quantile(waits, 0.99), 1000, "ms")];
        }
        finally
        {
            generator.Kill();
        }
    }

    private static double Quantile(List<double> sorted, double q) => sorted[Math.Min(sorted.Count - 1, (int)Math.Ceiling(q * sorted.Count) - 1)];

    /// <summary>A payment method of its own makes the probe's event the only one in its group.</summary>
    private static async Task<double> ProbeAsync(HttpClient http, int index, CancellationToken cancellationToken)
    {
        var now = DateTime.UtcNow;
        var method = $"probe_{index}";
        using var body = new StringContent(
            $$"""{"transaction_id":"{{method}}","transaction_timestamp":"{{now.ToString("O", CultureInfo.InvariantCulture)}}","amount":1.00,"currency":"EUR","payment_method":"{{method}}","payment_status":"completed"}""",
            Encoding.UTF8,
            new MediaTypeHeaderValue("application/json"));
        using (var answer = await http.PostAsync("v1/transactions", body, cancellationToken))
        {
            if (answer.StatusCode != HttpStatusCode.Accepted)
                throw new InvalidOperationException($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        }

        var accepted = Stopwatch.StartNew();
        var (from, to) = (Time(now.AddMinutes(-5)), Time(now.AddMinutes(5)));
        while (true)
        {
            using var metrics = JsonDocument.Parse(await http.GetStringAsync($"v1/metrics/payments?from={from}&to={to}&group_by=payment_method", cancellationToken));
            if (metrics.RootElement.GetProperty("items").EnumerateArray().Any(item => item.GetProperty("payment_method").GetString() == method))
                return accepted.Elapsed.TotalMilliseconds;
            await Task.Delay(5, cancellationToken);
        }
    }

    private static string Time(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

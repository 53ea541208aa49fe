namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>`visibility`: how long from the 202 of an event until the figures count it, and until the archive finds it, under a load.</summary>
internal static class VisibilityBenchmark
{
    private static readonly TimeSpan MetricsTarget = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ArchiveTarget = PlatformUnderTest.FlushAge + TimeSpan.FromSeconds(1);

    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var (rate, count) = (arguments.Number("rate", 10_000), arguments.Number("probes", 300));
        await using var platform = await PlatformUnderTest.StartAsync(CancellationToken.None);
        await using var load = new HttpLoad(platform.Url, seed: 2);
        await platform.WarmUpAsync(load, arguments);
        using var stop = new CancellationTokenSource();
        var sending = load.RunAsync(rate, TimeSpan.FromHours(1), stop.Token);
        var probes = new VisibilityProbes(platform);
        try
        {
            await probes.RunAsync(count, CancellationToken.None);
        }
        finally
        {
            await stop.CancelAsync();
        }

        var traffic = await sending;
        Console.WriteLine($"visibility: {count} probes among {traffic.Accepted:N0} events, {rate:N0} a second. Accepted to counted: {probes.Metrics}. Accepted to found in the archive: {probes.Archive}.");
        return [.. Rows("visibility in figures", probes.Metrics, MetricsTarget), .. Rows("visibility in the archive", probes.Archive, ArchiveTarget)];
    }

    private static IEnumerable<BenchmarkRow> Rows(string name, Latencies waits, TimeSpan target) =>
    [
        new($"{name} p50", waits.Quantile(0.5), null, "ms"),
        new($"{name} p90", waits.Quantile(0.9), null, "ms"),
        new($"{name} p99", waits.Quantile(0.99), target.TotalMilliseconds, "ms"),
        new($"{name} most", waits.Largest, null, "ms"),
    ];
}

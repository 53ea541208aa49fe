namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>
/// `rates`: the highest rate that the platform holds end to end, then latencies and processor time at 50, 80 and 100 % of it. It goes up by --step from --rate while that is steady, or down until it is, and halves the last step once;
/// what is found must hold for --seconds as well. What steady means: <see cref="LoadWindow.IsSteady"/>.
/// </summary>
internal static class RatesBenchmark
{
    private const int Target = 60_000;

    /// <summary>Down from a rate that held for a search window and does not for a measured one.</summary>
    private const double Back = 0.95;

    private static readonly TimeSpan SearchLength = TimeSpan.FromSeconds(20);

    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var (first, step, length) = (arguments.Number("rate", 30_000), arguments.Number("step", 5_000), TimeSpan.FromSeconds(arguments.Number("seconds", 40)));
        await using var platform = await PlatformUnderTest.StartAsync(CancellationToken.None);
        await using var load = new HttpLoad(platform.Url, seed: 3);
        await platform.WarmUpAsync(load, arguments);
        Console.WriteLine(
            $"rates: events of about 1 kB; steady is all accepted, lowest lag of the second half at most half a second's events over the first half's, drained {LoadWindow.DrainLimit.TotalSeconds:0} s after the end; {SearchLength.TotalSeconds:0} s a step, {length.TotalSeconds:0} s a measured window");

        var rate = await FindAsync(platform, load, first, step);
        var highest = await MeasureAsync(platform, load, rate, length);
        while (!highest.Window.IsSteady)
            highest = await MeasureAsync(platform, load, rate = Lower(rate), length);
        List<BenchmarkRow> rows = [new("rates: highest steady rate", rate, Target, "events/s")];
        foreach (var percent in (int[])[50, 80])
            rows.AddRange(Rows(percent, await MeasureAsync(platform, load, rate * percent / 100, length)));
        rows.AddRange(Rows(100, highest));
        return rows;
    }

    private static async Task<int> FindAsync(PlatformUnderTest platform, HttpLoad load, int first, int step)
    {
        int? steady = null, failed = null;
        for (var rate = first; steady is null || failed is null; rate += steady is null ? -step : step)
        {
            if (rate <= 0)
                throw new InvalidOperationException($"No rate is steady: not even {rate + step:N0} events/s. Say a lower --rate or --step.");
            await TryAsync(rate);
        }

        await TryAsync((steady.Value + failed.Value) / 2);
        return steady.Value;

        async Task TryAsync(int rate)
        {
            var window = await LoadWindow.RunAsync(platform, load, rate, SearchLength, sampled: null, CancellationToken.None);
            Tell(window);
            if (window.IsSteady)
                steady = rate;
            else
                failed = rate;
        }
    }

    private static int Lower(int rate)
    {
        Console.WriteLine($"{rate:N0} events/s did not hold for that long.");
        return (int)(rate * Back);
    }

    private static async Task<(LoadWindow Window, VisibilityProbes Probes)> MeasureAsync(PlatformUnderTest platform, HttpLoad load, int rate, TimeSpan length)
    {
        var probes = new VisibilityProbes(platform);
        using var over = new CancellationTokenSource(length);
        var probing = probes.RunAsync(int.MaxValue, over.Token);
        var window = await LoadWindow.RunAsync(platform, load, rate, length, sampled: null, CancellationToken.None);
        await probing;
        Tell(window);
        Console.WriteLine($"    {probes.Metrics.Count} probes, accepted to counted: {probes.Metrics}; to found in the archive: {probes.Archive}");
        return (window, probes);
    }

    private static void Tell(LoadWindow window) => Console.WriteLine(
        $"{window.Rate,7:N0} events/s for {window.Length.TotalSeconds:0} s: {(window.IsSteady ? "steady" : "NOT steady")}; accepted {window.Traffic.Accepted / window.Length.TotalSeconds:N0} events/s, {window.Traffic.Retries} requests again; " +
        $"lag {window.FirstHalfLag:N0}, then {window.SecondHalfLag:N0} events, lowest {window.Lows.First:N0}, then {window.Lows.Second:N0}; drained in {window.Drained.TotalSeconds:0.0} s; answers p50 {window.Traffic.Latency(0.5).TotalMilliseconds:0}, p99 {window.Traffic.Latency(0.99).TotalMilliseconds:0} ms");

    private static IEnumerable<BenchmarkRow> Rows(int percent, (LoadWindow Window, VisibilityProbes Probes) measured)
    {
        var name = $"rates: {percent} % ({measured.Window.Rate:N0}/s)";
        var (traffic, counted, archived) = (measured.Window.Traffic, measured.Probes.Metrics, measured.Probes.Archive);
        return
        [
            new($"{name} answer p50", traffic.Latency(0.5).TotalMilliseconds, null, "ms"),
            new($"{name} answer p90", traffic.Latency(0.9).TotalMilliseconds, null, "ms"),
            new($"{name} answer p99", traffic.Latency(0.99).TotalMilliseconds, null, "ms"),
            new($"{name} answer most", traffic.LargestLatency.TotalMilliseconds, null, "ms"),
            new($"{name} accepted to counted p50", counted.Quantile(0.5), null, "ms"),
            new($"{name} accepted to counted p90", counted.Quantile(0.9), null, "ms"),
            new($"{name} accepted to counted p99", counted.Quantile(0.99), null, "ms"),
            new($"{name} accepted to counted most", counted.Largest, null, "ms"),
            new($"{name} accepted to archived p99", archived.Quantile(0.99), null, "ms"),
            .. measured.Window.ProcessorTimeRows(name),
        ];
    }
}

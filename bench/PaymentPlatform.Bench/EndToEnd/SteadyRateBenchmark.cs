namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>`e2e`: a steady rate over HTTP through ingest, stream, archive and metrics; lag, memory and processor time while it lasts.</summary>
internal static class SteadyRateBenchmark
{
    private static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(10);

    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var (rate, seconds) = (arguments.Number("rate", 30_000), arguments.Number("seconds", 120));
        await using var platform = await PlatformUnderTest.StartAsync(CancellationToken.None);
        await using var load = new HttpLoad(platform.Url, seed: 1);
        await platform.WarmUpAsync(load, arguments);
        var next = TellInterval;
        var window = await LoadWindow.RunAsync(platform, load, rate, TimeSpan.FromSeconds(seconds), Tell, CancellationToken.None);

        var accepted = window.Traffic.Accepted;
        Console.WriteLine(
            $"e2e: {accepted:N0} events of about 1 kB in {window.Sent.TotalSeconds:0.0} s; {window.Traffic.Retries} requests sent again; drained {window.Drained.TotalSeconds:0.0} s later; lag at most {window.Lags.Max():N0} events; " +
            $"answers {window.Traffic.Latency(0.5).TotalMilliseconds:0} ms (p50), {window.Traffic.Latency(0.99).TotalMilliseconds:0} ms (p99)");
        return
        [
            new("e2e rate", accepted / window.Sent.TotalSeconds, rate, "events/s"),
            new("e2e lag, second half over first", window.SecondHalfLag, window.FirstHalfLag, "events"),
            new("e2e resident memory", window.ResidentMemory >> 20, 800, "MB"),
            .. window.ProcessorTimeRows("e2e"),
        ];

        void Tell(TimeSpan time, long lag)
        {
            if (time < next)
                return;
            next += TellInterval;
            Console.WriteLine($"{time:mm\\:ss}  lag {lag,9:N0} events  resident {platform.ResidentMemory >> 20,5} MB");
        }
    }
}

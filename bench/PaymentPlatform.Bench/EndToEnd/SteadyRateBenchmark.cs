using System.Diagnostics;

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>`e2e`: a steady rate over HTTP through ingest, stream, archive and metrics; lag, memory and processor time while it lasts.</summary>
internal static class SteadyRateBenchmark
{
    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var cancellationToken = CancellationToken.None;
        var (rate, seconds) = (arguments.Number("rate", 30_000), arguments.Number("seconds", 120));
        using var platform = await PlatformUnderTest.StartAsync(cancellationToken);
        using var generator = platform.StartGenerator(rate, (long)rate * seconds, seed: 1);
        var clock = Stopwatch.StartNew();
        var before = platform.ProcessorTime(null);
        var lags = new List<long>();
        long memory = 0;
        Dictionary<string, TimeSpan> after = new(StringComparer.Ordinal);
        while (!generator.HasExited)
        {
            await Task.Delay(1000, cancellationToken);
            foreach (var (part, time) in platform.ProcessorTime(generator))
                after[part] = time;
            lags.Add(await platform.LagAsync(cancellationToken));
            memory = Math.Max(memory, platform.ResidentMemory);
            if (lags.Count % 10 == 0)
                Console.WriteLine($"{clock.Elapsed:mm\\:ss}  lag {lags[^1],9:N0} events  resident {platform.ResidentMemory >> 20,5} MB");
        }

        var sent = clock.Elapsed;
        if (generator.ExitCode != 0)
            throw new InvalidOperationException($"The generator ended with {generator.ExitCode}.");
        while (await platform.LagAsync(cancellationToken) > 0)
            await Task.Delay(100, cancellationToken);
        var drained = clock.Elapsed - sent;

        var events = (double)rate * seconds;
        var (firstHalf, secondHalf) = (lags.Take(lags.Count / 2).Average(), lags.Skip(lags.Count / 2).Average());
        Console.WriteLine($"{events:N0} events in {sent.TotalSeconds:0.0} s: {events / sent.TotalSeconds:N0} events/s (asked for {rate:N0}); drained {drained.TotalSeconds:0.0} s later");
        Console.WriteLine($"lag: first half {firstHalf:N0} events on average, second half {secondHalf:N0}, most {lags.Max():N0}; resident memory of the platform at most {memory >> 20} MB");
        List<BenchmarkRow> rows =
        [
            new("e2e rate", events / sent.TotalSeconds, rate, "events/s"),
            new("e2e lag, second half over first", secondHalf, firstHalf, "events"),
            new("e2e resident memory", memory >> 20, 800, "MB"),
        ];
        foreach (var (part, time) in after)
        {
            var micros = (time - before.GetValueOrDefault(part)).TotalMicroseconds / events;
            Console.WriteLine($"{part,-10} {micros,6:0.0} µs of processor time an event");
            rows.Add(new($"e2e processor time, {part}", micros, null, "µs/event"));
        }

        return rows;
    }
}

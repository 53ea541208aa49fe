using System.Diagnostics;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>What a load of one rate did, and what it cost from its first event until all of it was taken in.</summary>
/// <param name="Length">How long it was meant to last.</param>
/// <param name="Sent">How long it lasted, with the last answer.</param>
/// <param name="Drained">How long after that the last consumer group was done.</param>
/// <param name="Lags">Events that waited, the worst consumer group, every <see cref="SampleInterval"/> while it lasted.</param>
/// <param name="ResidentMemory">Of the platform, most; bytes.</param>
/// <param name="ProcessorTime">By part.</param>
internal sealed record LoadWindow(
    int Rate, TimeSpan Length, TrafficStatistics Traffic, TimeSpan Sent, TimeSpan Drained, IReadOnlyList<long> Lags, long ResidentMemory, IReadOnlyDictionary<string, TimeSpan> ProcessorTime)
{
    public static readonly TimeSpan SampleInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How long after its end a steady load may take until all of it is archived: the last file's age, and the writing of it.</summary>
    public static readonly TimeSpan DrainLimit = PlatformUnderTest.FlushAge + TimeSpan.FromSeconds(3);

    /// <summary>Of the rate: less was not accepted because the platform was too slow.</summary>
    private const double AcceptedShare = 0.99;

    /// <summary>Of a second: how many events more may wait, at the best moments of the second half, than at those of the first.</summary>
    private const double LagGrowth = 0.5;

    public double FirstHalfLag => Lags.Take(Lags.Count / 2).DefaultIfEmpty(0).Average();

    public double SecondHalfLag => Lags.Skip(Lags.Count / 2).DefaultIfEmpty(0).Average();

    /// <summary>
    /// The lowest lag of each half, once the first file can be there. The archive's lag is a saw-tooth of whole files: its means depend on where the halves cut it, what is left behind after each file does not.
    /// </summary>
    public (long First, long Second) Lows
    {
        get
        {
            var risen = Lags.Skip((int)Math.Ceiling(Lags.Count * (PlatformUnderTest.FlushAge / Length))).ToList();
            return (risen.Take(risen.Count / 2).DefaultIfEmpty(0).Min(), risen.Skip(risen.Count / 2).DefaultIfEmpty(0).Min());
        }
    }

    /// <summary>Accepted in time, all of it; the lag not growing; and drained in time.</summary>
    public bool IsSteady =>
        Traffic.Accepted >= AcceptedShare * Rate * Length.TotalSeconds && Traffic is { Rejected: 0, Unacknowledged: 0 } && Lows.Second - Lows.First <= LagGrowth * Rate && Drained <= DrainLimit;

    /// <param name="sampled">Gets the time and the lag of each sample, until it is drained.</param>
    public static async Task<LoadWindow> RunAsync(PlatformUnderTest platform, HttpLoad load, int rate, TimeSpan length, Action<TimeSpan, long>? sampled, CancellationToken cancellationToken)
    {
        var before = ProcessorTimes(platform);
        var clock = Stopwatch.StartNew();
        var sending = SendAsync();
        var lags = new List<long>();
        var (lag, memory) = (0L, 0L);
        using var timer = new PeriodicTimer(SampleInterval);
        for (var isSent = false; !isSent || lag > 0; await timer.WaitForNextTickAsync(cancellationToken))
        {
            // Asked before the lag: only what was seen after the last answer says that all is taken in.
            isSent = sending.IsCompleted;
            lag = await platform.LagAsync(cancellationToken);
            memory = Math.Max(memory, platform.ResidentMemory);
            if (!isSent)
                lags.Add(lag);
            sampled?.Invoke(clock.Elapsed, lag);
        }

        var drained = clock.Elapsed;
        var (traffic, sent) = await sending;
        var times = ProcessorTimes(platform).ToDictionary(part => part.Key, part => part.Value - before.GetValueOrDefault(part.Key));
        return new(rate, length, traffic, sent, drained - sent, lags, memory, times);

        async Task<(TrafficStatistics Traffic, TimeSpan Sent)> SendAsync()
        {
            var statistics = await load.RunAsync(rate, length, cancellationToken);
            return (statistics, clock.Elapsed);
        }
    }

    /// <summary>Microseconds of processor time an event, by part.</summary>
    public IEnumerable<BenchmarkRow> ProcessorTimeRows(string name) =>
        ProcessorTime.OrderBy(part => part.Key, StringComparer.Ordinal).Select(part => new BenchmarkRow($"{name} processor time, {part.Key}", part.Value.TotalMicroseconds / Traffic.Accepted, null, "µs/event"));

    private static Dictionary<string, TimeSpan> ProcessorTimes(PlatformUnderTest platform) => new(platform.ProcessorTime()) { ["generator"] = Environment.CpuUsage.TotalTime };
}

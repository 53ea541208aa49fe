namespace PaymentPlatform.Bench.Inputs;

/// <summary>Processor time of this process, garbage collection and compilation included: wall time on a shared machine measures the neighbours.</summary>
internal static class ProcessorTime
{
    /// <returns>Of the best round.</returns>
    public static async Task<TimeSpan> BestAsync(Func<Task> work, int rounds, int warmups = 0)
    {
        for (var i = 0; i < warmups; i++)
            await work();
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < rounds; i++)
        {
            var before = Environment.CpuUsage.TotalTime;
            await work();
            var spent = Environment.CpuUsage.TotalTime - before;
            if (spent < best)
                best = spent;
        }

        return best;
    }

    /// <inheritdoc cref="BestAsync"/>
    public static TimeSpan Best(Action work, int rounds, int warmups = 0) => BestAsync(
        () =>
        {
            work();
            return Task.CompletedTask;
        },
        rounds,
        warmups).Result;
}

using PaymentPlatform.Simulator;

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>
/// The simulator's clean events of about 1 kB, posted from this process: what they cost is not the platform's. Generator and connections live as long as the load, so that a measured window does not pay for their start.
/// </summary>
internal sealed class HttpLoad(Uri url, long seed) : IAsyncDisposable
{
    private readonly TransactionGenerator _generator = new(SimulatorSettings.Default, seed, validOnly: true);
    private readonly HttpEventSender _sender = new(HttpEventSender.CreateClient(), url, PlatformUnderTest.ApiKey, TimeProvider.System);

    /// <param name="rate">Events a second.</param>
    /// <param name="duration">The answers of what is under way then are waited for, for 10 s at most.</param>
    /// <param name="stop">Ends it before.</param>
    public async Task<TrafficStatistics> RunAsync(int rate, TimeSpan duration, CancellationToken stop)
    {
        var statistics = new TrafficStatistics(TimeProvider.System, Console.WriteLine);
        var plan = new TrafficPlan { Settings = () => SimulatorSettings.Default, Rate = rate, Duration = duration, Interval = SimulateCommand.Interval };
        await new Traffic(_generator, _sender, plan, statistics, recorder: null, truth: null, TimeProvider.System).RunAsync(stop);
        return statistics;
    }

    public ValueTask DisposeAsync() => _sender.DisposeAsync();
}

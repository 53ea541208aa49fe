using System.Diagnostics;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Model;
using PaymentPlatform.Faults.Report;
using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults;

/// <summary>One seed from an empty database to the last check.</summary>
internal sealed class FaultRun(RunPlace place)
{
    /// <summary>From the last fault on, or from the fresh start on.</summary>
    private static readonly TimeSpan DrainBound = TimeSpan.FromSeconds(20);

    /// <summary>A run that hangs is a failure as well.</summary>
    private static readonly TimeSpan WholeBound = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan ObserveEvery = TimeSpan.FromMilliseconds(100);

    private readonly Scenario _scenario = place.Scenario;
    private readonly Cluster _cluster = new(place);

    public async Task<RunResult> RunAsync()
    {
        var clock = Stopwatch.StartNew();
        var events = new EventMaker(_scenario, place.Tally, DateTime.UtcNow).Make();
        string? failure = null;
        try
        {
            await RunAsync(events).WaitAsync(WholeBound);
        }
        catch (Exception e)
        {
            failure = e is InvariantBrokenException ? e.Message : e.ToString();
        }

        return new(_scenario.Seed, _scenario.Mode, events.Count(e => e.Fate == EventFate.Accepted), place.Tally.Counts, clock.Elapsed, Environment.WorkingSet, failure, [.. place.Log.Lines]);
    }

    private async Task RunAsync(IReadOnlyList<SentEvent> events)
    {
        await using var _ = _cluster;
        using var end = new CancellationTokenSource();
        var injector = new FaultInjector(place, _cluster);
        await injector.PrepareAsync(end.Token);
        foreach (var (role, count) in _scenario.Instances)
        {
            for (var i = 0; i < count; i++)
                _cluster.Add(role);
        }

        var observing = ObserveAsync(end.Token);
        var faults = injector.RunAsync(end.Token);
        var sending = Task.WhenAll(Senders(events, end.Token));
        await Task.WhenAny(sending, Task.Delay(_scenario.Duration * 2));
        await faults;
        place.Log.Add("run", "no more faults");
        _cluster.Heal();
        await sending;
        place.Log.Add("run", "all is sent");
        if (_scenario.Mode == FaultMode.Safety)
            _cluster.KillAll();
        var drained = await DrainAsync(observing);
        await end.CancelAsync();
        await observing;
        await new RunModel(place, events).CheckAsync(drained, CancellationToken.None);
    }

    private IEnumerable<Task> Senders(IReadOnlyList<SentEvent> events, CancellationToken cancellationToken)
    {
        var senders = Enumerable.Repeat(InstanceRole.Producer, _scenario.Instances[InstanceRole.Producer]).Concat(Enumerable.Repeat(InstanceRole.Door, 2)).ToList();
        var shares = senders.Select(_ => new List<SentEvent>()).ToList();
        var random = _scenario.RandomFor("shares");
        foreach (var sent in events)
            shares[random.Next(shares.Count)].Add(sent);
        return senders.Select((role, i) => Task.Run(() => new Sender(place, _cluster, role, i + 1).RunAsync(shares[i], cancellationToken)));
    }

    /// <summary>Looks all the time, until it is told to end or something is wrong.</summary>
    private async Task ObserveAsync(CancellationToken end)
    {
        try
        {
            while (true)
            {
                (await PlatformState.ReadAsync(place.Database, end)).Check();
                await Task.Delay(ObserveEvery, end);
            }
        }
        catch (Exception) when (end.IsCancellationRequested)
        {
        }
    }

    private async Task<PlatformState> DrainAsync(Task observing)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (observing.IsFaulted)
                await observing;
            // An append whose client is gone may still be under way in the server.
            var appending = (await place.QueryAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%stream_append%' AND pid <> pg_backend_pid()", r => r.GetInt64(0), CancellationToken.None))[0];
            var state = await PlatformState.ReadAsync(place.Database, CancellationToken.None);
            if (appending == 0 && state.IsDrained)
                return state;
            InvariantBrokenException.Unless(clock.Elapsed < DrainBound, "lag 0 within a bound after healing", () => $"after {DrainBound.TotalSeconds:0} s: {state.Lag}");
            await Task.Delay(30);
        }
    }
}

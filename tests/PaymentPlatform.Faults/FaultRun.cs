using System.Diagnostics;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Model;
using PaymentPlatform.Faults.Report;
using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults;

/// <summary>One seed from an empty database to the last check.</summary>
internal sealed class FaultRun(RunPlace place)
{
    /// <summary>From the last fault on, or from the fresh start on; of a machine that works. Where the harness itself waits for the database's answers, others do too, and no more than <see cref="LongestLook"/> of it counts.</summary>
    private static readonly TimeSpan DrainBound = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(150);

    /// <summary>A run that hangs is a failure as well.</summary>
    private static readonly TimeSpan WholeBound = TimeSpan.FromSeconds(180);

    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ObserveEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>How long faults go on for a replay to append something, and while it goes on.</summary>
    private static readonly TimeSpan ReplayBound = TimeSpan.FromSeconds(2), ReplayTime = TimeSpan.FromMilliseconds(300);

    private const string OpenOrders = """
        SELECT format('replay %s %s', id, state) FROM replays WHERE state IN ('waiting', 'running', 'failed')
        UNION ALL SELECT format('rebuild %s %s (%s), attempt %s', id, state, phase, attempts) FROM metric_rebuilds WHERE state IN ('waiting', 'running')
        UNION ALL SELECT format('resubmission of %s since %s', item_id, requested_at) FROM failed_item_sends
        """;

    private readonly Scenario _scenario = place.Scenario;
    private readonly Cluster _cluster = new(place);
    private readonly EventMaker _maker = new(place.Scenario, place.Tally, DateTime.UtcNow - place.Scenario.Earlier);

    public async Task<RunResult> RunAsync()
    {
        var clock = Stopwatch.StartNew();
        var events = _maker.Make();
        string? failure = null;
        try
        {
            await RunAsync(events).WaitAsync(WholeBound);
        }
        catch (Exception e)
        {
            failure = e is InvariantBrokenException ? e.Message : e.ToString();
        }

        string[] log = [.. place.Log.Lines];
        return new(_scenario.Seed, _scenario.Mode, _scenario.MayRestart, events.Count(e => e.Fate == EventFate.Accepted), place.Tally.Counts, Reactions.Of(log), clock.Elapsed, Environment.WorkingSet, failure, log);
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
        await AtWorkAsync();
        place.IsDisturbed = true;
        var faults = injector.RunAsync(end.Token);
        var sending = Task.WhenAll(Senders(events, end.Token));
        var orders = new DeskOrders(_maker, events.Count);
        using var http = DeskClient.CreateHttp();
        var numbers = Enumerable.Range(1, _scenario.Instances[InstanceRole.Desk]).ToList();
        var clerks = numbers.ConvertAll(i => new Clerk(place, new(place, _cluster, http, $"clerk {i}"), orders, i));
        var replayers = numbers.ConvertAll(i => new Replayer(place, new(place, _cluster, http, $"replayer {i}"), orders, i));
        var ordering = Task.WhenAll([.. clerks.Select(c => Task.Run(() => c.RunAsync(end.Token))), .. replayers.Select(r => Task.Run(() => r.RunAsync(end.Token)))]);
        await Task.WhenAny(sending, Task.Delay(_scenario.Duration * 2));
        await faults;
        if (clerks.Count > 0)
            await ReplayingAsync();
        place.Log.Add("run", "no more faults");
        place.IsDisturbed = false;
        await sending;
        place.Log.Add("run", "all is sent");
        if (_scenario.Mode == FaultMode.Safety)
            _cluster.KillAwake();
        await ordering;
        await DrainAsync(observing, clerks.FirstOrDefault());
        await end.CancelAsync();
        await observing;
        // Whatever is looked at from here on stands still.
        await _cluster.DisposeAsync();
        await EndedAsync();
        var orderModel = new OrderModel(place, orders);
        await orderModel.SettleAsync(CancellationToken.None);
        var found = await new RunModel(place, [.. events, .. orders.Corrections.Select(c => c.Event)]).CheckAsync(await PlatformState.ReadAsync(place.Database, CancellationToken.None), CancellationToken.None);
        await orderModel.CheckAsync(found, CancellationToken.None);
    }

    /// <summary>Until every partition has an owner in both groups: a fault before that meets nothing.</summary>
    private async Task AtWorkAsync()
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < StartBound && (await place.QueryAsync("SELECT count(*) FROM stream_checkpoints", r => r.GetInt64(0), CancellationToken.None))[0] < 2 * _scenario.Partitions)
            await Task.Delay(20);
        place.Log.Add("run", "events and faults begin");
    }

    /// <summary>A query service looks for orders once a second: faults that are over by then would meet no replay.</summary>
    private async Task ReplayingAsync()
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < ReplayBound; await Task.Delay(20))
        {
            if ((await place.QueryAsync("SELECT count(*) FROM stream_partitions JOIN stream_logs l USING (log_id) WHERE l.stream <> 'payments' AND next_offset > 0", r => r.GetInt64(0), CancellationToken.None))[0] == 0)
                continue;
            await Task.Delay(ReplayTime);
            return;
        }
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

    /// <summary>Until both groups have read to the end and every live file is in the store: what got lost there is written again.</summary>
    /// <param name="clerk">Sees to it that what was ordered ends; null where nobody gave orders.</param>
    private async Task DrainAsync(Task observing, Clerk? clerk)
    {
        for (var (spent, clock) = (TimeSpan.Zero, Stopwatch.StartNew()); ; spent += clock.Elapsed < LongestLook ? clock.Elapsed : LongestLook)
        {
            clock.Restart();
            if (observing.IsFaulted)
                await observing;
            if (clerk is not null)
                await clerk.FinishAsync(CancellationToken.None);
            // An append whose client is gone may still be under way in the server.
            var appending = await CountSessionsAsync("state = 'active' AND query LIKE '%stream_append%'");
            var state = await PlatformState.ReadAsync(place.Database, CancellationToken.None);
            var lost = appending == 0 && state.IsDrained ? await CountLostAsync(state) : 0;
            var orphans = _scenario.AwaitsSweeper && lost == 0 ? (await place.QueryAsync("SELECT count(*) FROM raw_event_files WHERE state IN ('pending', 'abandoned', 'deleting')", r => r.GetInt64(0), CancellationToken.None))[0] : 0;
            var orders = clerk is null ? [] : await place.QueryAsync(OpenOrders, r => r.GetString(0), CancellationToken.None);
            if (appending == 0 && state.IsDrained && lost == 0 && orphans == 0 && orders.Count == 0 && place.IsSettled)
                return;
            InvariantBrokenException.Unless(
                spent < DrainBound, "lag 0 within a bound after healing",
                () => $"after {DrainBound.TotalSeconds:0} s: {state.Lag}; {lost} live files are not in the store; {orphans} files wait for the sweeper; {orders.Count} orders have not ended{string.Concat(orders.Select(o => $", {o}"))}{(place.IsSettled ? "" : "; somebody is still paused")}");
            await Task.Delay(30);
        }
    }

    private async Task<int> CountLostAsync(PlatformState state)
    {
        var names = state.Files.Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        await foreach (var blob in place.Blobs.GetBlobsAsync())
            names.Remove(blob.Name);
        return names.Count;
    }

    /// <summary>The instances are gone, and so are their sessions in the server.</summary>
    private async Task EndedAsync()
    {
        while (await CountSessionsAsync("true") > 0)
            await Task.Delay(10);
    }

    private async Task<long> CountSessionsAsync(string condition) =>
        (await place.QueryAsync($"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> '{RunPlace.ApplicationName}' AND backend_type = 'client backend' AND {condition}", r => r.GetInt64(0), CancellationToken.None))[0];
}

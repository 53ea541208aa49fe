namespace PaymentPlatform.Faults.Scenarios;

/// <summary>What a seed means. Everything random of a run comes from here; the interleaving of threads does not.</summary>
internal sealed record Scenario
{
    /// <summary>Faults of the schedule and the steps that a run may have or not: few kinds at a time find what many at once hide.</summary>
    private static readonly FaultKind[] Optional =
    [
        FaultKind.Kill, FaultKind.KillAtStep, FaultKind.Pause, FaultKind.PauseAtStep, FaultKind.StaleOwner, FaultKind.BlockedSuccessor, FaultKind.InstanceAdded, FaultKind.InstanceStopped, FaultKind.ClockJump,
        FaultKind.CutBefore, FaultKind.CutAfter, FaultKind.CutAll, FaultKind.DatabaseSlow, FaultKind.DatabaseFull,
        FaultKind.BlobCutBefore, FaultKind.BlobTimeoutAfterSuccess, FaultKind.BlobErrorAfterSuccess, FaultKind.Blob409, FaultKind.Blob412, FaultKind.Blob429, FaultKind.Blob500, FaultKind.Blob503,
        FaultKind.BlobSlow, FaultKind.BlobTornUpload, FaultKind.BlobCutDownload, FaultKind.BlobLost,
        FaultKind.Redelivered, FaultKind.DeliveredOutOfOrder,
        FaultKind.Poison, FaultKind.Oversized, FaultKind.CardNumber, FaultKind.LateEvent, FaultKind.HotKey, FaultKind.KeyRepeated, FaultKind.KeyRaced,
    ];

    private static readonly FaultKind[] Timed =
    [
        FaultKind.Kill, FaultKind.Pause, FaultKind.StaleOwner, FaultKind.BlockedSuccessor, FaultKind.InstanceAdded, FaultKind.InstanceStopped, FaultKind.ClockJump, FaultKind.CutAll, FaultKind.DatabaseSlow, FaultKind.DatabaseFull, FaultKind.BlobLost,
    ];

    private static readonly FaultKind[] Interrupting =
    [
        FaultKind.Kill, FaultKind.KillAtStep, FaultKind.Pause, FaultKind.PauseAtStep, FaultKind.InstanceStopped, FaultKind.CutBefore, FaultKind.CutAfter, FaultKind.CutAll, FaultKind.DatabaseFull,
    ];

    /// <summary>A file of none, put in before anything starts.</summary>
    public const string NoRules = "rules: []";

    public required int Seed { get; init; }

    /// <summary>The database server may be restarted: nobody else uses it.</summary>
    public required bool MayRestart { get; init; }

    public required FaultMode Mode { get; init; }

    public required int Partitions { get; init; }

    /// <summary>Instances at the start.</summary>
    public required IReadOnlyDictionary<InstanceRole, int> Instances { get; init; }

    public required int Events { get; init; }

    public required int FlushRows { get; init; }

    public required TimeSpan FlushAge { get; init; }

    public required TimeSpan CommitInterval { get; init; }

    /// <summary>The stream says that events came so much earlier: their hours are closed, and compaction merges their files at once. Zero: no compaction.</summary>
    public required TimeSpan Earlier { get; init; }

    /// <summary>Originals of merged files go at once, else never in a run.</summary>
    public required bool DropsOriginals { get; init; }

    /// <summary>The starter rules are at work, else none.</summary>
    public required bool HasRules { get; init; }

    /// <summary>The run is judged only once the sweeper has had the time that it takes: nothing is pending or abandoned then.</summary>
    public required bool AwaitsSweeper { get; init; }

    /// <summary>Events of a replay's append at most, so that a replay of a run's few events has many.</summary>
    public required int ReplayChunk { get; init; }

    public required IReadOnlySet<FaultKind> Enabled { get; init; }

    /// <summary>Of a fault at one step that may have one.</summary>
    public required double StepRate { get; init; }

    /// <summary>How long events are sent, about, and faults come.</summary>
    public required TimeSpan Duration { get; init; }

    public required IReadOnlyList<TimedFault> Schedule { get; init; }

    /// <param name="restarts">As <see cref="MayRestart"/>.</param>
    public static Scenario Of(int seed, FaultMode mode, bool restarts)
    {
        var random = RandomOf(seed, "scenario");
        var enabled = Optional.Where(_ => random.Next(2) == 0).ToHashSet();
        // Without another there is nobody who takes over.
        var isTakenOver = enabled.Overlaps([FaultKind.StaleOwner, FaultKind.BlockedSuccessor]);
        // It takes its time, and what ends instances or their calls ends it too: half of these runs have little else.
        if (isTakenOver && random.Next(2) == 0)
            enabled.ExceptWith(Interrupting);
        var least = isTakenOver ? 2 : 1;
        var instances = new Dictionary<InstanceRole, int>
        {
            [InstanceRole.Archiver] = random.Next(least, 4),
            [InstanceRole.Metrics] = random.Next(least, 4),
            [InstanceRole.Door] = random.Next(1, 3),
            [InstanceRole.Producer] = random.Next(1, 3),
        };
        // A draw of its own: the rest of the seed means the same without it.
        if (restarts && RandomOf(seed, "restart").Next(8) == 0)
            enabled.Add(FaultKind.DatabaseRestart);
        // A query service and somebody who gives it orders.
        instances[InstanceRole.Desk] = random.Next(3) == 0 ? random.Next(1, 3) : 0;
        if (instances[InstanceRole.Desk] > 0)
            enabled.Add(FaultKind.Poison);
        // A successor must find events that its predecessor did not; and who gives orders needs something to give them about.
        var duration = TimeSpan.FromMilliseconds(isTakenOver || instances[InstanceRole.Desk] > 0 ? random.Next(1_800, 2_600) : random.Next(500, 2_000));
        return new()
        {
            Seed = seed,
            MayRestart = restarts,
            Mode = mode,
            Partitions = random.Next(1, 9),
            Instances = instances,
            Events = random.Next(200, 1_501),
            FlushRows = random.Next(3) == 0 ? random.Next(20, 100) : random.Next(100, 2_000),
            FlushAge = TimeSpan.FromMilliseconds(random.Next(50, 400)),
            CommitInterval = TimeSpan.FromMilliseconds(random.Next(0, 60)),
            Earlier = random.Next(3) == 0 ? TimeSpan.FromHours(2) : TimeSpan.Zero,
            DropsOriginals = random.Next(2) == 0,
            HasRules = random.Next(4) != 0,
            AwaitsSweeper = random.Next(6) == 0,
            ReplayChunk = RandomOf(seed, "replay chunk").Next(5, 30),
            Enabled = enabled,
            StepRate = random.Next(4) switch { 0 => 0.3, 1 => 0.1, _ => 0.03 },
            Duration = duration,
            Schedule = [.. Faults(random, instances, enabled, duration).OrderBy(f => f.At)],
        };
    }

    /// <summary>A random source of its own for each use, so that one more draw in one place does not change the others.</summary>
    public Random RandomFor(string use) => RandomOf(Seed, use);

    /// <summary>Longer than a lease and its takeover, but for a few; shorter than a pending file is waited for.</summary>
    public static TimeSpan PauseOf(Random random) => TimeSpan.FromMilliseconds(random.Next(5) == 0 ? random.Next(50, 900) : random.Next(1_400, 2_600));

    private static Random RandomOf(int seed, string use) => new(unchecked((int)StableHash.Of($"{seed}/{use}")));

    private static IEnumerable<TimedFault> Faults(Random random, Dictionary<InstanceRole, int> instances, HashSet<FaultKind> enabled, TimeSpan duration)
    {
        foreach (var kind in Timed.Append(FaultKind.DatabaseRestart).Where(enabled.Contains))
        {
            for (var i = kind == FaultKind.DatabaseRestart ? 1 : random.Next(1, 4); i > 0; i--)
            {
                var role = (InstanceRole)random.Next(kind is FaultKind.InstanceAdded or FaultKind.InstanceStopped or FaultKind.StaleOwner or FaultKind.BlockedSuccessor ? 2 : instances[InstanceRole.Desk] > 0 ? 5 : 4);
                var at = kind switch
                {
                    // What gets lost must be there first.
                    FaultKind.BlobLost => 0.5 + random.NextDouble() / 2,
                    // A lease must run out, and events still come.
                    FaultKind.StaleOwner or FaultKind.BlockedSuccessor => random.NextDouble() / 3,
                    _ => random.NextDouble(),
                };
                yield return new(duration * at, kind, role, random.Next(instances[role]), kind switch
                {
                    FaultKind.Pause => PauseOf(random),
                    FaultKind.StaleOwner or FaultKind.BlockedSuccessor => TimeSpan.FromMilliseconds(random.Next(0, 300)),
                    FaultKind.ClockJump => TimeSpan.FromSeconds(random.Next(-240, 241)),
                    FaultKind.DatabaseSlow => TimeSpan.FromMilliseconds(random.Next(1, 20)),
                    FaultKind.DatabaseFull => TimeSpan.FromMilliseconds(random.Next(50, 400)),
                    _ => TimeSpan.FromMilliseconds(random.Next(0, 400)),
                });
            }
        }
    }
}

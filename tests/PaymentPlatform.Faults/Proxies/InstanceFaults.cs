using System.Collections.Concurrent;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>
/// Decides which steps of one instance meet a fault. The n-th occurrence of a step always meets the same one under a seed: each step has a random source of its own. Thread-safe.
/// </summary>
/// <param name="name">The instance's: role, slot and incarnation.</param>
/// <param name="kill">Severs everything at once.</param>
/// <param name="pause">Freezes the instance until the task ends that is begun once it is frozen.</param>
internal sealed class InstanceFaults(RunPlace place, InstanceRole role, string name, Action kill, Action<Func<Task>> pause)
{
    /// <summary>Requests are few beside statements.</summary>
    private const double RequestWeight = 8;

    /// <summary>A desk appends once for an order, and there are few of them.</summary>
    private const double OrderWeight = 8;

    private const double MaxWeightedRate = 0.6;

    private static readonly FaultKind[] OfStatements = [FaultKind.CutBefore, FaultKind.CutAfter, FaultKind.KillAtStep, FaultKind.PauseAtStep];

    /// <summary>Those that leave it open whether the append was done.</summary>
    private static readonly FaultKind[] OfOrders = [FaultKind.CutAfter, FaultKind.KillAtStep];

    private static readonly FaultKind[] OfDeliveries = [FaultKind.Redelivered, FaultKind.DeliveredOutOfOrder];

    private static readonly FaultKind[] OfRequests =
    [
        FaultKind.BlobCutBefore, FaultKind.BlobTimeoutAfterSuccess, FaultKind.BlobErrorAfterSuccess, FaultKind.Blob429, FaultKind.Blob500, FaultKind.Blob503, FaultKind.BlobSlow, FaultKind.KillAtStep, FaultKind.PauseAtStep,
    ];

    private static readonly FaultKind[] OfUploads = [.. OfRequests, FaultKind.Blob409, FaultKind.Blob412, FaultKind.BlobTornUpload];

    private static readonly FaultKind[] OfDownloads = [.. OfRequests, FaultKind.BlobCutDownload];

    private readonly ConcurrentDictionary<string, Random> _steps = new();
    private readonly Scenario _scenario = place.Scenario;
    private readonly ConcurrentDictionary<FaultKind, StepFault> _takeovers = new();
    private long _delayTicks;

    /// <summary>Every answer of the database waits this long from now on.</summary>
    public void Slow(TimeSpan delay) => Interlocked.Exchange(ref _delayTicks, delay.Ticks);

    public async ValueTask DelayAsync(CancellationToken cancellationToken)
    {
        var delay = Interlocked.Read(ref _delayTicks);
        if (delay > 0 && place.IsDisturbed)
            await Task.Delay(TimeSpan.FromTicks(delay), cancellationToken);
    }

    /// <summary>
    /// The instance is paused in the next transaction that moves a position. <see cref="FaultKind.StaleOwner"/>: before it locks the position, until a successor has committed events of its partitions.
    /// <see cref="FaultKind.BlockedSuccessor"/>: before its COMMIT, until a successor waits for its lock.
    /// </summary>
    public void PauseForTakeover(FaultKind kind, TimeSpan afterwards) => _takeovers[kind] = new(kind, After: false, afterwards);

    /// <param name="holdsPosition">The transaction has locked a position already.</param>
    public StepFault? Next(StatementKind kind, bool holdsPosition)
    {
        var takeover = kind switch
        {
            StatementKind.Lock => FaultKind.StaleOwner,
            StatementKind.Commit when holdsPosition => FaultKind.BlockedSuccessor,
            _ => (FaultKind?)null,
        };
        if (takeover is { } awaited && place.IsDisturbed && _takeovers.TryRemove(awaited, out var fault))
            return fault;
        // Whatever kinds the run has: a desk owns no partition, so that its faults disturb nothing else.
        if (kind == StatementKind.Append && role == InstanceRole.Desk)
            return DrawOf(kind.ToString(), OfOrders, Weighted(OrderWeight));
        return Draw(kind.ToString(), OfStatements, kind.IsFrequent() ? _scenario.StepRate / 20 : _scenario.StepRate);
    }

    /// <param name="method">The HTTP verb.</param>
    public StepFault? NextRequest(string method) => Draw(method, method switch { "PUT" => OfUploads, "GET" => OfDownloads, _ => OfRequests }, Weighted(RequestWeight));

    /// <summary>What happens to a batch on its way to the service; null for nothing.</summary>
    public FaultKind? NextDelivery() => Draw("delivery", OfDeliveries, _scenario.StepRate)?.Kind;

    /// <summary>What any proxy can do; the rest is the blob store's own.</summary>
    public async ValueTask ApplyAsync(StepFault fault, CancellationTokenSource connection)
    {
        if (fault.IsTakeover)
        {
            pause(() => AwaitTakeoverAsync(fault));
            return;
        }

        place.Tally.Add(fault.Kind);
        switch (fault.Kind)
        {
            case FaultKind.KillAtStep:
                kill();
                break;
            case FaultKind.PauseAtStep:
                pause(() => Task.Delay(fault.Duration));
                return;
            case FaultKind.BlobSlow:
                await Task.Delay(fault.Duration, connection.Token);
                return;
            default:
                await connection.CancelAsync();
                break;
        }

        throw new OperationCanceledException();
    }

    public void Tally(FaultKind kind) => place.Tally.Add(kind);

    /// <inheritdoc cref="RunPlace.Hold"/>
    public IDisposable Hold() => place.Hold();

    private async Task AwaitTakeoverAsync(StepFault fault)
    {
        var takeover = new Takeover(place, role == InstanceRole.Archiver ? "archiver" : "metrics");
        // Counted where it came to it.
        if (await (fault.Kind == FaultKind.StaleOwner ? takeover.CommitsAsync() : takeover.WaitsAsync()))
            place.Tally.Add(fault.Kind);
        await Task.Delay(fault.Duration);
    }

    private double Weighted(double weight) => Math.Min(MaxWeightedRate, _scenario.StepRate * weight);

    private StepFault? Draw(string step, FaultKind[] possible, double rate) => DrawOf(step, [.. possible.Where(_scenario.Enabled.Contains)], rate);

    private StepFault? DrawOf(string step, FaultKind[] kinds, double rate)
    {
        if (!place.IsDisturbed || kinds.Length == 0)
            return null;
        var random = _steps.GetOrAdd(step, s => _scenario.RandomFor($"{name}/{s}"));
        lock (random)
        {
            if (random.NextDouble() >= rate)
                return null;
            var kind = kinds[random.Next(kinds.Length)];
            var after = kind == FaultKind.CutAfter || (kind is FaultKind.KillAtStep or FaultKind.PauseAtStep && random.Next(2) == 0);
            var duration = kind == FaultKind.BlobSlow ? TimeSpan.FromMilliseconds(random.Next(10, 300)) : Scenario.PauseOf(random);
            return new(kind, after, duration);
        }
    }
}

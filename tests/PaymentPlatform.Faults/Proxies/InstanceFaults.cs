using System.Collections.Concurrent;
using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>
/// Decides which steps of one instance meet a fault. The n-th occurrence of a step always meets the same one under a seed: each step has a random source of its own. Thread-safe.
/// </summary>
/// <param name="name">The instance's: role, slot and incarnation.</param>
/// <param name="isDisturbed">Faults come now.</param>
/// <param name="kill">Severs everything at once.</param>
/// <param name="pause">Freezes the instance for so long.</param>
internal sealed class InstanceFaults(Scenario scenario, string name, FaultTally tally, Func<bool> isDisturbed, Action kill, Action<TimeSpan> pause)
{
    /// <summary>Requests are few beside statements.</summary>
    private const double RequestWeight = 8;

    private static readonly FaultKind[] OfStatements = [FaultKind.CutBefore, FaultKind.CutAfter, FaultKind.KillAtStep, FaultKind.PauseAtStep];

    private static readonly FaultKind[] OfDeliveries = [FaultKind.Redelivered, FaultKind.DeliveredOutOfOrder];

    private static readonly FaultKind[] OfRequests =
    [
        FaultKind.BlobCutBefore, FaultKind.BlobTimeoutAfterSuccess, FaultKind.BlobErrorAfterSuccess, FaultKind.Blob429, FaultKind.Blob500, FaultKind.Blob503, FaultKind.BlobSlow, FaultKind.KillAtStep, FaultKind.PauseAtStep,
    ];

    private static readonly FaultKind[] OfUploads = [.. OfRequests, FaultKind.Blob409, FaultKind.Blob412, FaultKind.BlobTornUpload];

    private static readonly FaultKind[] OfDownloads = [.. OfRequests, FaultKind.BlobCutDownload];

    private readonly ConcurrentDictionary<string, Random> _steps = new();
    private StepFault? _stale;
    private long _delayTicks;

    /// <summary>Every answer of the database waits this long from now on.</summary>
    public void Slow(TimeSpan delay) => Interlocked.Exchange(ref _delayTicks, delay.Ticks);

    public async ValueTask DelayAsync(CancellationToken cancellationToken)
    {
        var delay = Interlocked.Read(ref _delayTicks);
        if (delay > 0 && isDisturbed())
            await Task.Delay(TimeSpan.FromTicks(delay), cancellationToken);
    }

    /// <summary>The instance is paused when it is about to lock a position the next time: others take over meanwhile, and it wakes up as a stale owner. (Later, its lock would keep them out.)</summary>
    public void PauseBeforeLock(TimeSpan duration) => Interlocked.Exchange(ref _stale, new(FaultKind.StaleOwner, After: false, duration));

    public StepFault? Next(StatementKind kind)
    {
        if (kind == StatementKind.Lock && Interlocked.Exchange(ref _stale, null) is { } stale)
            return stale;
        return Draw(kind.ToString(), OfStatements, kind.IsFrequent() ? scenario.StepRate / 20 : scenario.StepRate);
    }

    /// <param name="method">The HTTP verb.</param>
    public StepFault? NextRequest(string method) => Draw(method, method switch { "PUT" => OfUploads, "GET" => OfDownloads, _ => OfRequests }, Math.Min(0.6, scenario.StepRate * RequestWeight));

    /// <summary>What happens to a batch on its way to the service; null for nothing.</summary>
    public FaultKind? NextDelivery() => Draw("delivery", OfDeliveries, scenario.StepRate)?.Kind;

    /// <summary>What any proxy can do; the rest is the blob store's own.</summary>
    public async ValueTask ApplyAsync(StepFault fault, CancellationTokenSource connection)
    {
        tally.Add(fault.Kind);
        switch (fault.Kind)
        {
            case FaultKind.KillAtStep:
                kill();
                break;
            case FaultKind.PauseAtStep or FaultKind.StaleOwner:
                pause(fault.Duration);
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

    public void Tally(FaultKind kind) => tally.Add(kind);

    private StepFault? Draw(string step, FaultKind[] possible, double rate)
    {
        var enabled = possible.Where(scenario.Enabled.Contains).ToArray();
        if (!isDisturbed() || enabled.Length == 0)
            return null;
        var random = _steps.GetOrAdd(step, s => scenario.RandomFor($"{name}/{s}"));
        lock (random)
        {
            if (random.NextDouble() >= rate)
                return null;
            var kind = enabled[random.Next(enabled.Length)];
            var after = kind == FaultKind.CutAfter || (kind is FaultKind.KillAtStep or FaultKind.PauseAtStep && random.Next(2) == 0);
            var duration = kind == FaultKind.BlobSlow ? TimeSpan.FromMilliseconds(random.Next(10, 300)) : Scenario.PauseOf(random);
            return new(kind, after, duration);
        }
    }
}

using System.Collections.Concurrent;

namespace PaymentPlatform.Faults.Scenarios;

/// <summary>How often each fault was really injected. Thread-safe.</summary>
internal sealed class FaultTally
{
    private readonly ConcurrentDictionary<FaultKind, int> _counts = new();

    public void Add(FaultKind kind) => _counts.AddOrUpdate(kind, 1, (_, count) => count + 1);

    public IReadOnlyDictionary<FaultKind, int> Counts => new SortedDictionary<FaultKind, int>(_counts);
}

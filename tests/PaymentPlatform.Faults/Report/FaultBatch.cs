namespace PaymentPlatform.Faults.Report;

/// <summary>Runs that one process did, and what they left behind in it.</summary>
/// <param name="Memory">Every few runs, while none was under way.</param>
public sealed record FaultBatch(IReadOnlyList<RunResult> Runs, IReadOnlyList<MemoryLook> Memory)
{
    /// <summary>Of the heap, between runs: everything of a run must be gone when it has ended.</summary>
    public const long MaxHeapBytes = 96L << 20;

    /// <summary>No run and no look broke an invariant.</summary>
    public bool IsSound => Runs.All(r => r.Failure is null) && IsMemoryBounded;

    public bool IsMemoryBounded => Memory.All(m => m.HeapBytes <= MaxHeapBytes);
}

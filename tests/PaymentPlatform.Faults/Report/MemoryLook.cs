namespace PaymentPlatform.Faults.Report;

/// <summary>What this process holds while no run is under way.</summary>
/// <param name="HeapBytes">Reachable objects, after a full collection.</param>
/// <param name="WorkingSet">Bytes, native memory among them.</param>
public sealed record MemoryLook(long HeapBytes, long WorkingSet)
{
    public static MemoryLook Now()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return new(GC.GetTotalMemory(forceFullCollection: false), Environment.WorkingSet);
    }
}

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>
/// `memory`: whether memory depends on the volume. The same rate for --events events and for ten times as many, each over a fresh platform with the archiver in a process of its own, warmed up (until then heaps grow to their working size):
/// the most that each process was resident with, and its managed heap.
/// </summary>
internal static class MemoryBenchmark
{
    private const int Times = 10;

    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var (rate, events) = (arguments.Number("rate", 30_000), arguments.Number("events", 400_000));
        var once = await MeasureAsync(arguments, rate, events);
        var manifold = await MeasureAsync(arguments, rate, Times * events);
        var volumes = $"{(long)Times * events:N0} events beside {events:N0}";
        return
        [
            new($"memory: ingest, metrics, query, resident; {volumes}", manifold.Services.Resident, once.Services.Resident, "MB"),
            new($"memory: ingest, metrics, query, managed; {volumes}", manifold.Services.Managed, once.Services.Managed, "MB"),
            new($"memory: archiver, resident; {volumes}", manifold.Archiver.Resident, once.Archiver.Resident, "MB"),
            new($"memory: archiver, managed; {volumes}", manifold.Archiver.Managed, once.Archiver.Managed, "MB"),
        ];
    }

    private static async Task<(Peak Services, Peak Archiver)> MeasureAsync(BenchArguments arguments, int rate, int events)
    {
        await using var services = await PlatformUnderTest.StartAsync(CancellationToken.None, "--services", "ingest,metrics,query");
        await using var archiver = await PlatformUnderTest.StartAsync(CancellationToken.None, "--services", "archiver", "--connections", services.ConnectionsFile);
        await using var load = new HttpLoad(services.Url, seed: 4);
        await services.WarmUpAsync(load, arguments);
        var (servicesHeap, archiverHeap) = (new ManagedHeap(services.ProcessId), new ManagedHeap(archiver.ProcessId));
        var (servicesResident, archiverResident) = (0L, 0L);
        LoadWindow window;
        await using (servicesHeap)
        await using (archiverHeap)
            window = await LoadWindow.RunAsync(services, load, rate, TimeSpan.FromSeconds((double)events / rate), Sample, CancellationToken.None);
        var (ofServices, ofArchiver) = (new Peak(servicesResident >> 20, servicesHeap.Most), new Peak(archiverResident >> 20, archiverHeap.Most));
        Console.WriteLine($"memory: {window.Traffic.Accepted:N0} events of about 1 kB at {rate:N0} a second, drained in {window.Drained.TotalSeconds:0.0} s: ingest, metrics, query {ofServices}; archiver {ofArchiver}");
        return (ofServices, ofArchiver);

        void Sample(TimeSpan time, long lag)
        {
            servicesResident = Math.Max(servicesResident, services.ResidentMemory);
            archiverResident = Math.Max(archiverResident, archiver.ResidentMemory);
        }
    }

    /// <param name="Resident">Megabytes (2^20).</param>
    /// <param name="Managed">Megabytes (10^6).</param>
    private readonly record struct Peak(long Resident, double Managed)
    {
        public override string ToString() => $"{Resident:N0} MB resident, {Managed:N0} MB managed at most";
    }
}

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>
/// `memory`: whether memory depends on the volume. The same rate for --events events and for ten times as many, each over a fresh platform with the archiver in a process of its own, warmed up (until then heaps grow to their working size):
/// what each process was resident with, in the middle and at most, and what was reachable in its managed heap at the end. The most of a longer run is a little more by chance alone.
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
        return [.. Rows("ingest, metrics, query", manifold.Services, once.Services), .. Rows("archiver", manifold.Archiver, once.Archiver)];

        IEnumerable<BenchmarkRow> Rows(string process, Memory many, Memory few) =>
        [
            new($"memory: {process}, resident, median; {volumes}", many.Median, few.Median, "MB"),
            new($"memory: {process}, resident, most; {volumes}", many.Most, few.Most, "MB"),
            new($"memory: {process}, live heap at the end; {volumes}", many.Live, few.Live, "MB"),
        ];
    }

    private static async Task<(Memory Services, Memory Archiver)> MeasureAsync(BenchArguments arguments, int rate, int events)
    {
        await using var services = await PlatformUnderTest.StartAsync(CancellationToken.None, "--services", "ingest,metrics,query");
        await using var archiver = await PlatformUnderTest.StartAsync(CancellationToken.None, "--services", "archiver", "--connections", services.ConnectionsFile);
        await using var load = new HttpLoad(services.Url, seed: 4);
        await services.WarmUpAsync(load, arguments);
        var (ofServices, ofArchiver) = (new List<long>(), new List<long>());
        var window = await LoadWindow.RunAsync(services, load, rate, TimeSpan.FromSeconds((double)events / rate), Sample, CancellationToken.None);
        var (servicesMemory, archiverMemory) = (await Memory.OfAsync(services, ofServices), await Memory.OfAsync(archiver, ofArchiver));
        Console.WriteLine($"memory: {window.Traffic.Accepted:N0} events of about 1 kB at {rate:N0} a second, drained in {window.Drained.TotalSeconds:0.0} s: ingest, metrics, query {servicesMemory}; archiver {archiverMemory}");
        return (servicesMemory, archiverMemory);

        void Sample(TimeSpan time, long lag)
        {
            ofServices.Add(services.ResidentMemory);
            ofArchiver.Add(archiver.ResidentMemory);
        }
    }

    /// <summary>Of one process, megabytes (2^20).</summary>
    /// <param name="Median">Resident.</param>
    /// <param name="Most">Resident.</param>
    /// <param name="Live">Reachable in the managed heap, once all was taken in.</param>
    private readonly record struct Memory(double Median, double Most, double Live)
    {
        private const double Megabyte = 1 << 20;

        public static async Task<Memory> OfAsync(PlatformUnderTest platform, List<long> resident)
        {
            resident.Sort();
            return new(resident[resident.Count / 2] / Megabyte, resident[^1] / Megabyte, await LiveHeap.MeasureAsync(platform.ProcessId) / Megabyte);
        }

        public override string ToString() => $"{Median:N0} MB resident in the middle, {Most:N0} MB at most, {Live:N0} MB of live heap";
    }
}

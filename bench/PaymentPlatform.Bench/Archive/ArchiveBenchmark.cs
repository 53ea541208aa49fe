using PaymentPlatform.Bench.Inputs;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Bench.Archive;

/// <summary>`archive`: one core from parsed events of 1 kB to a finished Parquet file; the peer is Parquet.Net's writer with the same rows.</summary>
internal static class ArchiveBenchmark
{
    private const int Groups = 4;
    private const int Warmups = 3;
    private const int Rounds = 7;

    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var rows = new ArchiveRows(RawEventBuffer.DefaultRowsPerGroup);
        var events = rows.Count * Groups;
        using var buffer = new RawEventBuffer();
        long size = 0;
        // The archiver parses each event just before it appends it: measured so, less the parsing.
        var ours = ProcessorTime.Best(() => size = Write(buffer, rows), Rounds, Warmups) - ProcessorTime.Best(() => Parse(rows), Rounds, Warmups);
        var allocated = Allocated(() => Write(buffer, rows));

        Fill(buffer, rows);
        using var file = ParquetSerializer.Serialize(buffer, 0);
        var verify = await ProcessorTime.BestAsync(() => ParquetSerializer.VerifyAsync(file, CancellationToken.None), Rounds, Warmups);

        long peerSize = 0;
        var peer = await ProcessorTime.BestAsync(async () => peerSize = await ParquetNetPeer.WriteAsync(rows, Groups), Rounds, Warmups);
        var before = GC.GetTotalAllocatedBytes();
        await ParquetNetPeer.WriteAsync(rows, Groups);
        var peerAllocated = GC.GetTotalAllocatedBytes() - before;

        return
        [
            .. await FileToParquet.RunAsync(arguments.Number("events", 200_000)),
            new("archive: append and serialise", ours.TotalNanoseconds / events, peer.TotalNanoseconds / events, "CPU ns/event"),
            new("archive: events per second and core", events / ours.TotalSeconds, events / peer.TotalSeconds, "events/s"),
            new("archive: file size", (double)size / events, (double)peerSize / events, "bytes/event"),
            new("archive: allocated", (double)allocated / events, (double)peerAllocated / events, "bytes/event"),
            new("archive: payload", (double)buffer.PayloadBytes / events, null, "bytes/event"),
            new("archive: verify the finished file", verify.TotalNanoseconds / events, null, "CPU ns/event"),
        ];
    }

    private static long Write(RawEventBuffer buffer, ArchiveRows rows)
    {
        Fill(buffer, rows);
        using var file = ParquetSerializer.Serialize(buffer, 0);
        return file.Length;
    }

    private static void Fill(RawEventBuffer buffer, ArchiveRows rows)
    {
        buffer.Clear();
        for (var group = 0; group < Groups; group++)
        {
            for (var i = 0; i < rows.Count; i++)
                buffer.Append(rows.Event(rows.Parse(i), i, (group * (long)rows.Count) + i));
        }
    }

    private static void Parse(ArchiveRows rows)
    {
        for (var group = 0; group < Groups; group++)
        {
            for (var i = 0; i < rows.Count; i++)
                rows.Parse(i);
        }
    }

    private static long Allocated(Action work)
    {
        var before = GC.GetTotalAllocatedBytes();
        work();
        return GC.GetTotalAllocatedBytes() - before;
    }
}

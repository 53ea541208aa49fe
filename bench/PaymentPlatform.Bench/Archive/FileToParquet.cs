using System.Text;
using PaymentPlatform.Bench.Inputs;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Bench.Archive;

/// <summary>
/// A file of NDJSON events to Parquet on disk, one core: ours validates each event, keeps its exact bytes, and adds Bloom filters and stream columns. The peer, DuckDB with one thread, copies <c>read_ndjson</c> to Parquet with zstd,
/// once without the exact bytes, and once with them beside.
/// </summary>
internal static class FileToParquet
{
    private const int RowsPerFile = 100_000;
    private const int Rounds = 5;
    private static readonly StreamPartition Partition = new("payments", "bench", 0);

    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(int count)
    {
        using var events = new EventFile(count);
        using var duckDb = new SingleThreadDuckDb();
        var output = Path.GetTempFileName();
        try
        {
            long ourSize = 0;
            var ours = await ProcessorTime.BestAsync(async () => ourSize = await WriteAsync(events, output, verify: false), Rounds);
            var verified = await ProcessorTime.BestAsync(() => WriteAsync(events, output, verify: true), Rounds);
            var (file, target) = (SingleThreadDuckDb.Quote(events.Path), SingleThreadDuckDb.Quote(output));
            const string options = "(FORMAT parquet, COMPRESSION zstd)";
            var bare = ProcessorTime.Best(() => duckDb.Scalar($"COPY (SELECT * FROM read_ndjson({file})) TO {target} {options}"), Rounds);
            var complete = ProcessorTime.Best(
                () => duckDb.Scalar($"COPY (SELECT fields.*, objects.json AS raw_payload FROM read_ndjson({file}) fields POSITIONAL JOIN read_ndjson_objects({file}) objects) TO {target} {options}"), Rounds);
            var peerSize = new FileInfo(output).Length;
            return
            [
                new("archive: NDJSON to validated Parquet with raw bytes; peer without raw bytes", count / ours.TotalSeconds, count / bare.TotalSeconds, "events/s and core"),
                new("archive: the same; peer with raw bytes", count / ours.TotalSeconds, count / complete.TotalSeconds, "events/s and core"),
                new("archive: the same, our files read back and checked", count / verified.TotalSeconds, count / complete.TotalSeconds, "events/s and core"),
                new("archive: its size", (double)ourSize / count, (double)peerSize / count, "bytes/event"),
            ];
        }
        finally
        {
            File.Delete(output);
        }
    }

    /// <returns>Bytes of the files.</returns>
    private static async Task<long> WriteAsync(EventFile events, string output, bool verify)
    {
        var parser = new TransactionParser(new() { CardData = CardDataMode.Mask });
        var id = Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString());
        using var lines = new LineFile(events.Path);
        using var buffer = new RawEventBuffer();
        await using var stream = new FileStream(output, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (long offset = 0; lines.TryRead(out var line); offset++)
        {
            var parsed = parser.Parse(line, EventFile.LaterMicros);
            buffer.Append(new()
            {
                Partition = Partition,
                Offset = offset,
                EnqueuedAtMicros = EventFile.LaterMicros,
                MessageId = id,
                CorrelationId = default,
                RawPayload = parsed.Payload.Span,
                Transaction = parsed.Transaction,
                Errors = parsed.Errors,
            });
            if (buffer.RowCount == RowsPerFile)
                await FlushAsync();
        }

        if (buffer.RowCount > 0)
            await FlushAsync();
        return stream.Length;

        async Task FlushAsync()
        {
            using var file = ParquetSerializer.Serialize(buffer, EventFile.LaterMicros);
            if (verify)
                await ParquetSerializer.VerifyAsync(file, CancellationToken.None);
            await using var content = file.OpenRead();
            await content.CopyToAsync(stream);
            buffer.Clear();
        }
    }
}

using System.Buffers;
using PaymentPlatform.Events;
using PaymentPlatform.Simulator;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Bench.Questions;

/// <summary>
/// Fills a real archive with the simulator's events through the archiver's writer: blobs, manifest rows, ranges. The events are spread over days of eight busy hours; a file ends with its hour or at 100,000 rows,
/// as the archiver's do. A copy of each file stays beside, for the peer.
/// </summary>
internal sealed class GeneratedArchive(HybridConnectionManager connections, string copies)
{
    public const int Days = 30;

    private const int RowsPerFile = 100_000;
    private const int Partitions = 8;
    private const long Hour = 3_600_000_000;

    /// <summary>Where a day's events begin.</summary>
    public static readonly DateTime Start = new(2026, 1, 1, 9, 0, 0, DateTimeKind.Utc);

    private readonly ArchiveBlobs _blobs = new(connections.RawEvents);
    private readonly long[] _written = new long[Partitions];
    private readonly long[] _next = new long[Partitions];

    /// <returns>Files written.</returns>
    public async Task<int> WriteAsync(int events, int seed)
    {
        Directory.CreateDirectory(copies);
        await _blobs.EnsureContainerAsync(CancellationToken.None);
        var generator = new TransactionGenerator(seed);
        var parser = new TransactionParser(new() { CardData = CardDataMode.Allow });
        var payload = new ArrayBufferWriter<byte>();
        using var buffer = new RawEventBuffer();
        var (files, hour) = (0, 0L);
        for (var i = 0; i < events; i++)
        {
            var time = Time(i, events);
            if (buffer.RowCount == RowsPerFile || (buffer.RowCount > 0 && time / Hour != hour))
            {
                await FlushAsync(buffer);
                files++;
            }

            hour = time / Hour;
            payload.ResetWrittenCount();
            generator.Write(payload, time);
            Append(buffer, parser.Parse(payload.WrittenMemory, time + 5_000), i, time + 5_000);
        }

        await FlushAsync(buffer);
        return files + 1;
    }

    /// <summary>Microseconds since the Unix epoch: evenly over eight hours of each day.</summary>
    private static long Time(int i, int events)
    {
        var perDay = (events + Days - 1) / Days;
        var (day, inDay) = Math.DivRem(i, perDay);
        return ((Start.AddDays(day) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond) + (8 * Hour * inDay / perDay);
    }

    private void Append(RawEventBuffer buffer, ParseResult parsed, int i, long enqueuedAt)
    {
        var partition = i % Partitions;
        Span<byte> messageId = stackalloc byte[36];
        Guid.CreateVersion7(DateTimeOffset.FromUnixTimeMilliseconds(enqueuedAt / 1000)).TryFormat(messageId, out _);
        buffer.Append(new()
        {
            Partition = Partition(partition),
            Offset = _next[partition]++,
            EnqueuedAtMicros = enqueuedAt,
            MessageId = messageId,
            CorrelationId = default,
            RawPayload = parsed.Payload.Span,
            Transaction = parsed.Transaction,
            Errors = parsed.Errors,
        });
    }

    private async Task FlushAsync(RawEventBuffer buffer)
    {
        var archivedAt = buffer.MaxEnqueuedAtMicros!.Value + 5_000_000;
        using var file = ParquetSerializer.Serialize(buffer, archivedAt);
        await ParquetSerializer.VerifyAsync(file, CancellationToken.None);
        var id = Guid.CreateVersion7();
        var name = ArchiveFileName.Create(id, buffer.MinEnqueuedAtMicros!.Value);
        await using var connection = await connections.Database.OpenConnectionAsync();
        await ArchiveManifest.InsertPendingAsync(connection, id, name, "bench", CancellationToken.None);
        await using (var content = file.OpenRead())
        {
            await _blobs.CreateAsync(name, content, file.Sha256, CancellationToken.None);
            await using var copy = File.Create(Path.Combine(copies, $"{id:D}.parquet"));
            content.Position = 0;
            await content.CopyToAsync(copy);
        }

        await using var transaction = await connection.BeginTransactionAsync();
        var ranges = Enumerable.Range(0, Partitions).Where(p => _next[p] > _written[p]).Select(p => new OffsetRange(Partition(p), _written[p], _next[p])).ToArray();
        await ArchiveManifest.MakeLiveAsync(transaction, ManifestEntry.Create(id, name, archivedAt, buffer, file), ranges, CancellationToken.None);
        await transaction.CommitAsync();
        _next.CopyTo(_written, 0);
        buffer.Clear();
    }

    private static StreamPartition Partition(int id) => s_partitions[id];

    private static readonly StreamPartition[] s_partitions = [.. Enumerable.Range(0, Partitions).Select(i => new StreamPartition("payments", "bench", i))];
}

using System.Buffers;
using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Query.Tests;

/// <summary>Writes files with the archiver's own writer.</summary>
public static class RealFiles
{
    /// <summary>One file of events as they were sent, all enqueued at the same time, with offsets from the given one on; their message ids are <c>m-OFFSET</c>.</summary>
    /// <returns>The blob's name.</returns>
    public static async Task<string> AddAsync(QueryHost host, IReadOnlyList<byte[]> payloads, long firstOffset, long enqueuedAt = RandomArchive.Start, int rowsPerGroup = 16)
    {
        var parser = new TransactionParser(new());
        using var buffer = new RawEventBuffer(rowsPerGroup);
        for (var i = 0; i < payloads.Count; i++)
        {
            var result = parser.Parse(payloads[i], enqueuedAt);
            buffer.Append(new RawEvent
            {
                Partition = new("payments", "log-1", 0),
                Offset = firstOffset + i,
                EnqueuedAtMicros = enqueuedAt,
                MessageId = Encoding.UTF8.GetBytes($"m-{firstOffset + i}"),
                CorrelationId = default,
                RawPayload = payloads[i],
                Transaction = result.Transaction,
                Errors = result.Errors,
            });
        }

        using var file = ParquetSerializer.Serialize(buffer, enqueuedAt + 5_000_000);
        return await host.Archive.AddParquetAsync(
            file.Content.ToArray(), buffer.MinTransactionTimestampMicros, buffer.MaxTransactionTimestampMicros, buffer.MinEnqueuedAtMicros!.Value, buffer.MaxEnqueuedAtMicros!.Value, buffer.RowCount, buffer.ValidCount);
    }

    /// <summary>One file with its ranges in the manifest, so that compaction takes it too. Of the events' columns it holds what their payloads say.</summary>
    public static async Task AddAsync(QueryHost host, IReadOnlyList<TestEvent> events)
    {
        var parser = new TransactionParser(new());
        using var buffer = new RawEventBuffer(rowsPerGroup: 30);
        foreach (var e in events)
        {
            var result = parser.Parse(e.RawPayload, e.EnqueuedAt);
            Assert.Equal(e.IsValid, result.Errors.Count == 0);
            buffer.Append(new RawEvent
            {
                Partition = new("payments", e.LogId, e.Partition),
                Offset = e.Offset,
                EnqueuedAtMicros = e.EnqueuedAt,
                MessageId = Encoding.UTF8.GetBytes(e.MessageId),
                CorrelationId = default,
                RawPayload = e.RawPayload,
                Transaction = result.Transaction,
                Errors = result.Errors,
                Origin = Enum.Parse<EventOrigin>(e.Origin, ignoreCase: true),
                Duplicate = e.IsDuplicate,
            });
        }

        var archivedAt = events.Max(e => e.EnqueuedAt) + 5_000_000;
        using var file = ParquetSerializer.Serialize(buffer, archivedAt);
        var id = Guid.CreateVersion7();
        var entry = ManifestEntry.Create(id, ArchiveFileName.Create(id, buffer.MinEnqueuedAtMicros!.Value), archivedAt, buffer, file);
        await using (var content = file.OpenRead())
            Assert.True(await new ArchiveBlobs(host.Connections.RawEvents).CreateAsync(entry.BlobName, content, entry.Sha256, CancellationToken.None));
        var ranges = events.GroupBy(e => new StreamPartition("payments", e.LogId, e.Partition), (partition, own) => new OffsetRange(partition, own.Min(e => e.Offset), own.Max(e => e.Offset) + 1)).ToList();
        await using var connection = await host.Connections.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ArchiveManifest.InsertPendingAsync(connection, id, entry.BlobName, "test", CancellationToken.None);
        Assert.True(await ArchiveManifest.MakeLiveAsync(transaction, entry, ranges, CancellationToken.None));
        await transaction.CommitAsync();
    }
}

using System.Buffers;
using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;

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
}

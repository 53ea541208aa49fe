using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query.Tests;

/// <summary>An event as a stream holds it.</summary>
internal sealed record StreamContents(string Body, string MessageId, string CorrelationId, string PartitionKey, string? Origin, string? OriginId, string? CardData)
{
    public int Partition { get; init; }

    /// <summary>All events of the host's streams, or of one, partition by partition, read as the platform reads them.</summary>
    public static async Task<List<StreamContents>> ReadAsync(QueryHost host, string? stream = null)
    {
        var ranges = new List<OffsetRange>();
        await using (var partitions = host.Connections.Database.CreateCommand(
            "SELECT l.stream, l.log_id, p.partition_id, p.first_offset, p.next_offset FROM stream_logs l JOIN stream_partitions p USING (log_id) WHERE p.next_offset > p.first_offset AND coalesce(l.stream = $1, true) ORDER BY 1, 3"))
        {
            partitions.Parameters.Add(new() { Value = (object?)stream ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
            await using var reader = await partitions.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                ranges.Add(new(new(reader.GetString(0), reader.GetString(1), reader.GetInt32(2)), reader.GetInt64(3), reader.GetInt64(4)));
        }

        var events = new List<StreamContents>();
        foreach (var range in ranges)
        {
            await foreach (var batch in host.App.Services.GetRequiredService<StreamRangeReader>().ReadAsync(range, CancellationToken.None))
            {
                using (batch)
                {
                    foreach (ref readonly var received in batch.Messages)
                        events.Add(Of(received.Message) with { Partition = range.Partition.PartitionId });
                }
            }
        }

        return events;
    }

    private static StreamContents Of(in Message message) => new(
        Text(message.Body), Text(message.MessageId), Text(message.CorrelationId), Text(message.PartitionKey),
        message.Headers[HeaderNames.Origin], message.Headers[HeaderNames.OriginId], message.Headers[HeaderNames.CardData]);

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}

using System.Data;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Npgsql;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>Reads dead letters.</summary>
internal static class FailedItemReader
{
    private const string Columns = """
        id, transaction_id, correlation_id, message_id, error_type, error_message, errors::text, status, sending, enqueued_at, failed_at, retry_count, last_retry_at, resolved_at, resolved_by, notes,
        encode(sent_sha256, 'hex'), stream, log_id, partition_id, stream_offset, octet_length(raw_payload)
        """;

    private const int PayloadColumn = 22;

    private const string HistoryColumns = "at, action, done_by, notes, encode(payload_sha256, 'hex')";

    /// <summary>The latest first.</summary>
    /// <param name="before">Only those of a lower id.</param>
    public static async Task<List<FailedItemSummary>> ListAsync(NpgsqlConnection connection, FailedItemFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand { Connection = connection, Parameters = { new("before", before), new("limit", (long)limit) } };
        command.CommandText = $"SELECT {Columns} FROM failed_items WHERE id < @before AND {filter.AddTo(command.Parameters)} ORDER BY id DESC LIMIT @limit";
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<FailedItemSummary>();
        while (await reader.ReadAsync(cancellationToken))
            items.Add(Summary(reader));
        return items;
    }

    public static async Task<FailedItem?> FindAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns}, raw_payload FROM failed_items WHERE id = $1", connection) { Parameters = { new() { Value = id } } };
        FailedItemSummary summary;
        byte[] payload;
        await using (var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken))
                return null;
            (summary, payload) = (Summary(reader), reader.GetFieldValue<byte[]>(PayloadColumn));
        }

        var isText = Utf8.IsValid(payload);
        return new(summary, isText ? Encoding.UTF8.GetString(payload) : null, isText ? null : Convert.ToBase64String(payload), await HistoryAsync(connection, id, cancellationToken));
    }

    public static async Task<FailedItemSummary?> FindSummaryAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM failed_items WHERE id = $1", connection) { Parameters = { new() { Value = id } } };
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Summary(reader) : null;
    }

    /// <summary>Dead letters of a transaction, and others by their ids, by id, with the SHA-256 of their payloads and, where they are that short, the payloads.</summary>
    /// <param name="payloadBytes">Of a payload that comes along, at most.</param>
    /// <param name="limit">Items at most.</param>
    public static async Task<List<(FailedItemSummary Summary, string Sha256, byte[]? Payload)>> FindOfAsync(
        NpgsqlConnection connection, string transactionId, long[] ids, int payloadBytes, int limit, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT {Columns}, CASE WHEN octet_length(raw_payload) <= $3 THEN raw_payload END, encode(sha256(raw_payload), 'hex') FROM failed_items
            WHERE id IN (SELECT id FROM failed_items WHERE transaction_id = $1 UNION SELECT unnest($2)) ORDER BY id LIMIT $4
            """, connection)
        {
            Parameters = { new() { Value = transactionId }, new() { Value = ids }, new() { Value = payloadBytes }, new() { Value = limit } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<(FailedItemSummary, string, byte[]?)>();
        while (await reader.ReadAsync(cancellationToken))
            items.Add((Summary(reader), reader.GetString(PayloadColumn + 1), reader.IsDBNull(PayloadColumn) ? null : reader.GetFieldValue<byte[]>(PayloadColumn)));
        return items;
    }

    /// <summary>What became of several items, the oldest change of each first.</summary>
    /// <param name="limit">Changes at most, of all together.</param>
    public static async Task<ILookup<long, FailedItemChange>> HistoriesAsync(NpgsqlConnection connection, long[] ids, int limit, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {HistoryColumns}, item_id FROM failed_item_events WHERE item_id = ANY ($1) ORDER BY id LIMIT $2", connection) { Parameters = { new() { Value = ids }, new() { Value = limit } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var changes = new List<(long Item, FailedItemChange Change)>();
        while (await reader.ReadAsync(cancellationToken))
            changes.Add((reader.GetInt64(5), Change(reader)));
        return changes.ToLookup(c => c.Item, c => c.Change);
    }

    private static async Task<List<FailedItemChange>> HistoryAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {HistoryColumns} FROM failed_item_events WHERE item_id = $1 ORDER BY id", connection)
        {
            Parameters = { new() { Value = id } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var changes = new List<FailedItemChange>();
        while (await reader.ReadAsync(cancellationToken))
            changes.Add(Change(reader));
        return changes;
    }

    private static FailedItemChange Change(NpgsqlDataReader reader) => new(reader.GetDateTime(0), reader.GetString(1), reader.GetString(2), Text(reader, 3), Text(reader, 4));

    private static FailedItemSummary Summary(NpgsqlDataReader reader)
    {
        using var errors = JsonDocument.Parse(reader.GetString(6), new() { MaxDepth = 1000 });
        var (id, status) = (reader.GetInt64(0), reader.GetString(7));
        return new(
            id, Text(reader, 1), Text(reader, 2), Text(reader, 3), reader.GetString(4), reader.GetString(5), errors.RootElement.Clone(), status, reader.GetBoolean(8), reader.GetDateTime(9), reader.GetDateTime(10),
            reader.GetInt32(11), Time(12), Time(13), Text(reader, 14), Text(reader, 15), status == FailedItemStatus.Resubmitted ? Resubmission.MessageIdOf(id) : null, Text(reader, 16),
            reader.GetString(17), reader.GetString(18), reader.GetInt32(19), reader.GetInt64(20), reader.GetInt32(21));

        DateTime? Time(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetDateTime(ordinal);
    }

    private static string? Text(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);
}

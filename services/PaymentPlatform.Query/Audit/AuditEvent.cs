using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Query.FailedItems;

namespace PaymentPlatform.Query.Audit;

/// <summary>An event of the archive, as the look-up tells it, and what an auditor asks of it besides.</summary>
internal sealed class AuditEvent
{
    private static readonly int s_time = EventColumn.OrdinalOf("transaction_timestamp"), s_enqueuedAt = EventColumn.OrdinalOf("enqueued_at"), s_archivedAt = EventColumn.OrdinalOf("archived_at");
    private static readonly int s_stream = EventColumn.OrdinalOf("stream"), s_logId = EventColumn.OrdinalOf("stream_log_id"), s_partition = EventColumn.OrdinalOf("stream_partition"), s_offset = EventColumn.OrdinalOf("stream_offset");
    private static readonly int s_isValid = EventColumn.OrdinalOf("is_valid"), s_origin = EventColumn.OrdinalOf("origin"), s_originId = EventColumn.OrdinalOf("origin_id"), s_duplicate = EventColumn.OrdinalOf("duplicate");
    private static readonly int s_payload = EventColumn.OrdinalOf("raw_payload");

    private AuditEvent(EventRow row, byte[] json)
    {
        Json = json;
        Position = new(row.Text(s_stream), row.Text(s_logId), (int)row.Integer(s_partition), row.Integer(s_offset));
        Cursor = row.ArrivalCursor(generation: 0);
        TransactionTime = Time(row, s_time);
        EnqueuedAt = Timestamps.ToDateTime(row.Integer(s_enqueuedAt));
        ArchivedAt = Time(row, s_archivedAt);
        IsValid = !row.IsNull(s_isValid) && row.Boolean(s_isValid);
        Origin = row.IsNull(s_origin) ? null : row.Text(s_origin);
        OriginId = row.IsNull(s_originId) ? null : row.Text(s_originId);
        IsDuplicate = !row.IsNull(s_duplicate) && row.Boolean(s_duplicate);
        BlobName = row.BlobName;
        var payload = row.IsNull(s_payload) ? [] : row.Payload(s_payload);
        PayloadBytes = payload.Length;
        PayloadSha256 = Convert.ToHexStringLower(SHA256.HashData(payload));
    }

    /// <summary>The event as an object of <c>/v1/transactions/{transaction_id}</c>, UTF-8.</summary>
    public byte[] Json { get; }

    public AuditPosition Position { get; }

    /// <summary>Its place in the order of arrival.</summary>
    public EventCursor Cursor { get; }

    public DateTime? TransactionTime { get; }

    public DateTime EnqueuedAt { get; }

    public DateTime? ArchivedAt { get; }

    public bool IsValid { get; }

    /// <summary>live, resubmission or replay; null in files from before there were others.</summary>
    public string? Origin { get; }

    public string? OriginId { get; }

    /// <summary>A repeat of an event that came before.</summary>
    public bool IsDuplicate { get; }

    public string BlobName { get; }

    public int PayloadBytes { get; }

    /// <summary>Of the exact bytes that came in, lower case hex.</summary>
    public string PayloadSha256 { get; }

    /// <summary>Whether it is one of those that figures, rebuilds and reconciliation count.</summary>
    public bool CountsInFigures => IsValid && !IsDuplicate && Origin != "replay";

    /// <summary>The dead letter that it is the resubmission of.</summary>
    public long? FailedItemId => Origin == Resubmission.Origin && FailedItemsApi.TryParseId(OriginId ?? "", out var id) ? id : null;

    /// <summary>Null where the manifest does not know it any more.</summary>
    public AuditFile? File { get; set; }

    /// <summary>The files that held it before <see cref="File"/> did, the oldest first.</summary>
    public IReadOnlyList<AuditFile> EarlierFiles { get; set; } = [];

    /// <summary>Null where the bytes that came in are not UTF-8.</summary>
    public byte[]? ReadPayload()
    {
        using var columns = JsonDocument.Parse(Json, new() { MaxDepth = EventJson.WriterOptions.MaxDepth });
        return columns.RootElement.TryGetProperty("raw_payload", out var payload) && payload.ValueKind == JsonValueKind.String ? Encoding.UTF8.GetBytes(payload.GetString()!) : null;
    }

    public static AuditEvent Read(EventRow row)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, EventJson.WriterOptions))
            EventJson.Write(writer, row);
        return new(row, json.WrittenSpan.ToArray());
    }

    private static DateTime? Time(EventRow row, int column) => row.IsNull(column) ? null : Timestamps.ToDateTime(row.Integer(column));
}

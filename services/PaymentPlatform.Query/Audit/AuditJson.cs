using System.Text.Json;

namespace PaymentPlatform.Query.Audit;

/// <summary>Answers <c>{"transaction_id", "as_of", "events", "failed_items", "metric_hits", "replays", "legal_holds", "cut", "tail"}</c>.</summary>
internal sealed class AuditJson(AuditTrail trail) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var json = QueryJsonContext.Default;
        using var buffer = new ResponseBuffer(httpContext.Response);
        await using var writer = new Utf8JsonWriter(buffer, EventJson.WriterOptions);
        httpContext.Response.ContentType = "application/json";
        writer.WriteStartObject();
        writer.WriteString("transaction_id"u8, trail.TransactionId);
        writer.WriteString("as_of"u8, EventJson.Format(trail.AsOf));
        writer.WriteStartArray("events"u8);
        foreach (var e in trail.Events)
        {
            writer.WriteStartObject();
            writer.WritePropertyName("event"u8);
            writer.WriteRawValue(e.Json, skipInputValidation: true);
            writer.WriteString("payload_sha256"u8, e.PayloadSha256);
            writer.WriteNumber("payload_bytes"u8, e.PayloadBytes);
            writer.WriteBoolean("counts_in_figures"u8, e.CountsInFigures);
            writer.WritePropertyName("file"u8);
            JsonSerializer.Serialize(writer, e.File!, json.AuditFile);
            writer.WritePropertyName("earlier_files"u8);
            JsonSerializer.Serialize(writer, e.EarlierFiles, json.IReadOnlyListAuditFile);
            writer.WriteEndObject();
            await SendAsync(full: true);
        }

        writer.WriteEndArray();
        writer.WritePropertyName("failed_items"u8);
        JsonSerializer.Serialize(writer, trail.FailedItems, json.IReadOnlyListAuditFailedItem);
        writer.WritePropertyName("metric_hits"u8);
        JsonSerializer.Serialize(writer, trail.MetricHits, json.IReadOnlyListDynamicMetricItem);
        writer.WritePropertyName("replays"u8);
        JsonSerializer.Serialize(writer, trail.Replays, json.IReadOnlyListAuditReplay);
        writer.WritePropertyName("legal_holds"u8);
        JsonSerializer.Serialize(writer, trail.LegalHolds!, json.IReadOnlyListHoldItem);
        writer.WriteStartArray("cut"u8);
        foreach (var name in trail.Cut)
            writer.WriteStringValue(name);
        writer.WriteEndArray();
        trail.Tail.Write(writer);
        writer.WriteEndObject();
        await SendAsync(full: false);

        async Task SendAsync(bool full)
        {
            await writer.FlushAsync(httpContext.RequestAborted);
            if (!full || buffer.IsFull)
                await buffer.FlushAsync(httpContext.RequestAborted);
        }
    }
}

using System.Text.Json;

namespace PaymentPlatform.Query;

/// <summary>Answers <c>{"transaction_id", "events": […], "tail"}</c>, or 404 where there is no event.</summary>
public sealed class TransactionTrail(ArchiveScan scan, string transactionId, ArchiveTail tail, ManifestReader manifest) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        await using var _ = scan;
        using var buffer = new ResponseBuffer(httpContext.Response);
        await using var writer = new Utf8JsonWriter(buffer, EventJson.WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("transaction_id"u8, transactionId);
        writer.WriteStartArray("events"u8);
        httpContext.Response.ContentType = "application/json";
        while (await scan.ReadAsync(row =>
        {
            EventJson.Write(writer, row);
            writer.Flush();
            return !buffer.IsFull;
        }))
        {
            await buffer.FlushAsync(httpContext.RequestAborted);
        }

        if (scan.Rows == 0)
        {
            await TypedResults.Problem(
                $"No event of this transaction is in the archive. {tail.Missing()} A new one appears once its file is written, after Archiver:FlushAge at the latest.{await manifest.TellDeletedAsync(httpContext.RequestAborted)}", statusCode: 404, title: "Transaction not found").ExecuteAsync(httpContext);
            return;
        }

        writer.WriteEndArray();
        tail.Write(writer);
        writer.WriteEndObject();
        await writer.FlushAsync(httpContext.RequestAborted);
        await buffer.FlushAsync(httpContext.RequestAborted);
    }
}

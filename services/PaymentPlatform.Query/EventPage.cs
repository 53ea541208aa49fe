using System.Text.Json;

namespace PaymentPlatform.Query;

/// <summary>Answers <c>{"items": […], "next_cursor", "tail"}</c>, written as it is read.</summary>
/// <param name="scan">Asked for one row more than the page has, which tells whether another page follows.</param>
/// <param name="nextCursor">Makes the cursor of the page's last event.</param>
public sealed class EventPage(ArchiveScan scan, int limit, Func<EventCursor, string> nextCursor, ArchiveTail tail) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        await using var _ = scan;
        using var buffer = new ResponseBuffer(httpContext.Response);
        await using var writer = new Utf8JsonWriter(buffer, EventJson.WriterOptions);
        httpContext.Response.ContentType = "application/json";
        writer.WriteStartObject();
        writer.WriteStartArray("items"u8);
        var written = 0;
        EventCursor? last = null;
        string? next = null;
        while (await scan.ReadAsync(row =>
        {
            if (written == limit)
            {
                next = nextCursor(last!);
                return true;
            }

            EventJson.Write(writer, row);
            writer.Flush();
            if (++written == limit)
                last = row.Cursor(scan.Generation);
            return !buffer.IsFull;
        }))
        {
            await buffer.FlushAsync(httpContext.RequestAborted);
        }

        writer.WriteEndArray();
        writer.WriteString("next_cursor"u8, next);
        tail.Write(writer);
        writer.WriteEndObject();
        await writer.FlushAsync(httpContext.RequestAborted);
        await buffer.FlushAsync(httpContext.RequestAborted);
    }
}

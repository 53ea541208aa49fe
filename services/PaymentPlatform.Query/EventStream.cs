using System.Text.Json;

namespace PaymentPlatform.Query;

/// <summary>Answers every row of a scan as NDJSON or CSV, however many there are.</summary>
public sealed class EventStream(ArchiveScan scan, EventFormat format, bool guardFormulas) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        await using var _ = scan;
        using var buffer = new ResponseBuffer(httpContext.Response);
        await using var writer = new Utf8JsonWriter(buffer, EventJson.WriterOptions);
        var csv = format == EventFormat.Csv ? new EventCsv(buffer, guardFormulas) : null;
        httpContext.Response.ContentType = csv is null ? format.MediaType() : "text/csv; charset=utf-8; header=present";
        csv?.WriteHeader();
        while (await scan.ReadAsync(row =>
        {
            if (csv is null)
            {
                EventJson.Write(writer, row);
                writer.Flush();
                writer.Reset();
                buffer.GetSpan(1)[0] = (byte)'\n';
                buffer.Advance(1);
            }
            else
            {
                csv.Write(row);
            }

            return !buffer.IsFull;
        }))
        {
            await buffer.FlushAsync(httpContext.RequestAborted);
        }

        await buffer.FlushAsync(httpContext.RequestAborted);
    }
}

using System.Buffers;
using System.Buffers.Text;

namespace PaymentPlatform.Ingest;

/// <summary>202, or 422 with the same body when every event was rejected.</summary>
internal sealed class IngestAnswer(IngestRun run) : IResult, IStatusCodeHttpResult
{
    public int? StatusCode => run.Accepted == 0 && run.RejectedCount > 0 ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status202Accepted;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCode.GetValueOrDefault();
        httpContext.Response.ContentType = "application/json; charset=utf-8";
        var writer = httpContext.Response.BodyWriter;
        writer.Write("{\"accepted\":"u8);
        WriteNumber(writer, run.Accepted);
        writer.Write(",\"rejected_count\":"u8);
        WriteNumber(writer, run.RejectedCount);
        writer.Write(",\"rejected\":["u8);
        writer.Write(run.Rejected.Span);
        writer.Write("]}"u8);
        await writer.FlushAsync(httpContext.RequestAborted);
    }

    private static void WriteNumber(IBufferWriter<byte> writer, long value)
    {
        Utf8Formatter.TryFormat(value, writer.GetSpan(20), out var written);
        writer.Advance(written);
    }
}

namespace PaymentPlatform.Ingest;

/// <summary>The body can't be taken; the message is for the sender and holds nothing of the body.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="title">What kind of error it is.</param>
internal sealed class BodyException(int status, string title, string detail, long? line = null, long? column = null) : Exception(detail)
{
    public int Status => status;

    public string Title => title;

    /// <summary>One-based.</summary>
    public long? Line => line;

    /// <summary>One-based, in bytes.</summary>
    public long? Column => column;

    public static BodyException Empty() => new(StatusCodes.Status400BadRequest, "Empty body", "The body holds no event.");

    public static BodyException TooLarge(int limit) => new(
        StatusCodes.Status413PayloadTooLarge,
        "Body too large",
        $"A JSON body may have {limit} bytes. Send less at a time, or one object a line as application/x-ndjson, which has no limit.");

    public static BodyException NotJson(long line, long column) => new(
        StatusCodes.Status400BadRequest,
        "Not JSON",
        $"The body is not one JSON document: the error is in line {line} at byte {column}. Nothing of it was taken. Send one object a line as application/x-ndjson.",
        line,
        column);

    public static BodyException WrongDocument(IngestFormat format) => new(
        StatusCodes.Status400BadRequest,
        "Wrong JSON",
        format switch
        {
            IngestFormat.CloudEvent => "An application/cloudevents+json body is one object.",
            IngestFormat.CloudEventBatch => "An application/cloudevents-batch+json body is an array.",
            _ => "An application/json body is an object or an array of objects.",
        });
}

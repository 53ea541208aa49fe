using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace PaymentPlatform.Ingest;

/// <summary>The answers that are problem details (RFC 9457).</summary>
internal static class Problems
{
    private const string OverloadRetrySeconds = "1";
    private const string UnavailableRetrySeconds = "5";

    public static ProblemHttpResult UnsupportedMediaType(HttpContext context, string detail)
    {
        context.Response.Headers[HeaderNames.Accept] = MediaTypes.List;
        return Problem(StatusCodes.Status415UnsupportedMediaType, "Unsupported media type", $"{detail} Send one of: {MediaTypes.List}.");
    }

    public static ProblemHttpResult UnsupportedEncoding(HttpContext context)
    {
        context.Response.Headers[HeaderNames.AcceptEncoding] = "gzip, br, deflate";
        return Problem(StatusCodes.Status415UnsupportedMediaType, "Unsupported content encoding", "The Content-Encoding is not one of gzip, br, deflate.");
    }

    /// <summary>There is none: one that was meant for something would be passed over.</summary>
    public static ValidationProblem UnknownParameters(IEnumerable<string> names)
    {
        const string message = "There is no such parameter here; there is none at all.";
        var errors = names.ToDictionary(name => name, _ => new[] { message });
        return TypedResults.ValidationProblem(errors, detail: string.Join(" ", errors.Keys.Select(name => $"{name}: {message}")), title: "Bad query parameter");
    }

    public static ProblemHttpResult BadHeader(string header, string expected) => TypedResults.Problem(
        statusCode: StatusCodes.Status400BadRequest,
        title: "Bad header",
        detail: $"The header {header} must be {expected}.",
        extensions: new Dictionary<string, object?>
        {
            ["errors"] = new[]
            {
                new Dictionary<string, object?>
                {
                    ["field"] = header, ["constraint"] = "header", ["expected"] = expected, ["actual"] = null, ["message"] = $"The header {header} can't be used.",
                },
            },
        });

    public static ProblemHttpResult Overloaded(HttpContext context)
    {
        context.Response.Headers.RetryAfter = OverloadRetrySeconds;
        return Problem(StatusCodes.Status429TooManyRequests, "Overloaded", "Too much is being taken in at the moment. Nothing of this request was taken; send it again later.");
    }

    public static ProblemHttpResult BadBody(BodyException error, IngestRun run)
    {
        var extensions = Progress(run);
        if (error.Line is not null)
        {
            extensions["line"] = error.Line;
            extensions["column"] = error.Column;
        }

        return TypedResults.Problem(statusCode: error.Status, title: error.Title, detail: error.Message, extensions: extensions);
    }

    public static ProblemHttpResult IdempotencyConflict(IngestRun run) => TypedResults.Problem(
        statusCode: StatusCodes.Status422UnprocessableEntity,
        title: "Idempotency key used with another body",
        detail: $"The {IdempotencyKey.Header} was used with another body or media type in the last 24 hours. Use a new key for a new body.",
        extensions: Progress(run));

    public static ProblemHttpResult StreamUnavailable(HttpContext context, RequestInfo request, IngestRun run)
    {
        context.Response.Headers.RetryAfter = UnavailableRetrySeconds;
        var advice = request switch
        {
            { IdempotencyKey: not null } => $"Send all of it again under the same {IdempotencyKey.Header}: what is in counts once.",
            { Format: IngestFormat.CloudEvent or IngestFormat.CloudEventBatch } => "Send them again: CloudEvents are known by source and id, and what is in counts once.",
            _ => $"Sent again they may count twice. Send requests with an {IdempotencyKey.Header}: then all of one can be sent again and counts once.",
        };
        return TypedResults.Problem(
            statusCode: StatusCodes.Status503ServiceUnavailable,
            title: "Stream unavailable",
            detail: $"The stream can't take events now. {(run.NextIndex > 0 ? $"The events before index {run.NextIndex} are settled; at" : "At")} most {ChunkLimits.Events} events from index {run.NextIndex} on may or may not be in the stream, and none behind them. {advice}",
            extensions: Progress(run));
    }

    private static ProblemHttpResult Problem(int status, string title, string detail) => TypedResults.Problem(statusCode: status, title: title, detail: detail);

    /// <summary>How far the request got: what is in the stream stays there.</summary>
    private static Dictionary<string, object?> Progress(IngestRun run) =>
        new() { ["accepted"] = run.Accepted, ["rejected_count"] = run.RejectedCount, ["next_index"] = run.NextIndex };
}

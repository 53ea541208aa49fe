using System.Text.Json;

namespace PaymentPlatform.Query;

/// <summary>Reads bodies of a bounded size.</summary>
internal static class RequestBody
{
    /// <returns>The bytes, or the answer (413) that says that there are too many.</returns>
    public static async Task<(byte[]? Bytes, IResult? Fault)> ReadAsync(HttpRequest request, int maxBytes, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        var buffer = new byte[16 << 10];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + read > maxBytes)
                return (null, TypedResults.Problem($"The body takes at most {maxBytes} bytes.", statusCode: 413, title: "Body too large"));
            body.Write(buffer, 0, read);
        }

        return (body.ToArray(), null);
    }

    /// <param name="shape">Completes the sentence "The body must be …".</param>
    /// <param name="example">JSON.</param>
    /// <param name="mayBeEmpty">No body, of whatever type, stands for an object without members.</param>
    /// <returns>A document whose root is an object and whose texts and names are well-formed Unicode without null characters, or the answer (400, 413, 415) that says what is wrong.</returns>
    public static async Task<(JsonDocument? Document, IResult? Fault)> ReadObjectAsync(
        HttpRequest request, int maxBytes, string shape, string example, bool mayBeEmpty, CancellationToken cancellationToken)
    {
        if (!mayBeEmpty && !request.HasJsonContentType())
            return (null, NotJson(example));
        var (body, fault) = await ReadAsync(request, maxBytes, cancellationToken);
        if (body is null)
            return (null, fault);
        if (body.Length == 0 && mayBeEmpty)
            return (JsonDocument.Parse("{}"), null);
        if (!request.HasJsonContentType())
            return (null, NotJson(example));
        try
        {
            var document = JsonDocument.Parse(body);
            var wrong = document.RootElement.ValueKind == JsonValueKind.Object ? WrongText(document.RootElement, shape) : Malformed(shape, "It is something else.");
            if (wrong is null)
                return (document, null);
            document.Dispose();
            return (null, wrong);
        }
        catch (JsonException exception)
        {
            return (null, Malformed(shape, $"It is not JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}."));
        }
    }

    /// <summary>The answer (400) that says what is wrong with a member.</summary>
    public static IResult Wrong(string member, string message) => TypedResults.ValidationProblem(new Dictionary<string, string[]> { [member] = [message] }, detail: $"{member}: {message}", title: "Bad request");

    public static IResult NotJson(string example) => TypedResults.Problem($"Send application/json, for example {example}.", statusCode: 415, title: "Unsupported media type");

    private static IResult? WrongText(JsonElement body, string shape) => JsonTexts.FindFault(body) switch
    {
        null => null,
        (null, var fault) => Malformed(shape, $"One of its members has a name that is none. {fault}"),
        var (member, fault) => Wrong(member, fault),
    };

    private static IResult Malformed(string shape, string fault) => TypedResults.Problem($"The body must be {shape}. {fault}", statusCode: 400, title: "Bad request");
}

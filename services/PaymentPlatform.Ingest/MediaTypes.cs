using Microsoft.Net.Http.Headers;

namespace PaymentPlatform.Ingest;

/// <summary>The media types that are taken.</summary>
internal static class MediaTypes
{
    private static readonly string[] Names =
        ["application/json", "application/x-ndjson", "application/cloudevents+json", "application/cloudevents-batch+json"];

    public static string List { get; } = string.Join(", ", Names);

    public static string Name(IngestFormat format) => Names[(int)format];

    /// <returns>Null when it is understood, else what is wrong with it.</returns>
    public static string? Parse(string? contentType, out IngestFormat format)
    {
        format = default;
        if (string.IsNullOrEmpty(contentType))
            return "The Content-Type header is missing.";
        if (!MediaTypeHeaderValue.TryParse(contentType, out var parsed))
            return "The Content-Type header can't be read.";
        var index = Array.FindIndex(Names, name => parsed.MediaType.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (index < 0)
            return "The Content-Type is not one of those taken here.";
        if (parsed.Charset.HasValue && !HeaderUtilities.RemoveQuotes(parsed.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            return "The body must be UTF-8: send charset=utf-8, or no charset.";
        format = (IngestFormat)index;
        return null;
    }
}

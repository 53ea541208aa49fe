using Microsoft.Net.Http.Headers;

namespace PaymentPlatform.Query;

/// <summary>The forms of an answer of events, chosen by <c>Accept</c>.</summary>
public enum EventFormat
{
    Json,
    NdJson,
    Csv,
    Parquet,
}

/// <summary>Chooses among them.</summary>
public static class EventFormats
{
    private static readonly (string MediaType, EventFormat Format)[] Known =
    [
        ("application/json", EventFormat.Json),
        ("application/x-ndjson", EventFormat.NdJson),
        ("text/csv", EventFormat.Csv),
        ("application/vnd.apache.parquet", EventFormat.Parquet),
    ];

    /// <summary>The form that the client likes best; JSON where it says nothing; null where it takes none of them.</summary>
    public static EventFormat? Choose(HttpRequest request) => Choose(request, Known);

    /// <summary>The form that the client likes best of those known, the first where it says nothing; null where it takes none of them.</summary>
    public static T? Choose<T>(HttpRequest request, IReadOnlyList<(string MediaType, T Format)> known)
        where T : struct
    {
        if (request.Headers.Accept.Count == 0)
            return known[0].Format;
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted))
            return null;
        foreach (var range in accepted.Where(a => a.Quality is not 0).OrderByDescending(a => a.Quality ?? 1).ThenBy(a => a.MatchesAllTypes).ThenBy(a => a.MatchesAllSubTypes))
        {
            foreach (var (mediaType, format) in known)
            {
                if (range.MatchesMediaType(mediaType))
                    return format;
            }
        }

        return null;
    }

    public static string MediaType(this EventFormat format) => Known.First(k => k.Format == format).MediaType;
}

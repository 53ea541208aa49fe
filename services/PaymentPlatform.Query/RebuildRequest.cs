using System.Globalization;

namespace PaymentPlatform.Query;

/// <summary>The body of <c>POST /v1/metrics/rebuild</c>: <c>from</c> and <c>to</c> as RFC 3339 writes them, <c>[from, to)</c> of transaction time. A <c>to</c> in the future is now.</summary>
/// <param name="From">Microseconds since the Unix epoch, as is <paramref name="To"/>.</param>
public sealed record RebuildRequest(long From, long To)
{
    private const int MaxBytes = 4096;

    // PostgreSQL and the rules' memory before the range need room below.
    private static readonly long s_first = Timestamps.ToMicros(new(1900, 1, 1, 0, 0, 0, DateTimeKind.Utc));

    /// <returns>The request, or the answer that says what is wrong with it.</returns>
    public static async Task<(RebuildRequest? Request, IResult? Fault)> ReadAsync(HttpRequest request, DateTime now, TimeSpan longest, CancellationToken cancellationToken)
    {
        var (document, fault) = await RequestBody.ReadObjectAsync(
            request, MaxBytes, "a JSON object with the texts 'from' and 'to'", "{\"from\": \"2026-01-31T00:00:00Z\", \"to\": \"2026-02-01T00:00:00Z\"}", mayBeEmpty: false, cancellationToken);
        if (document is null)
            return (null, fault);
        using (document)
            return Read(new(document.RootElement), Timestamps.ToMicros(now), longest);
    }

    private static (RebuildRequest? Request, IResult? Fault) Read(JsonMembers body, long now, TimeSpan longest)
    {
        var (from, to) = (Time(body, "from"), Time(body, "to"));
        if (from > now)
            body.Fail("from", "It lies in the future: there is nothing to rebuild yet. Give a time before now.");
        to = to > now ? now : to;
        if (from >= to)
            body.Fail("from", "It must lie before 'to'.");
        if (to - from > longest.Ticks / TimeSpan.TicksPerMicrosecond)
            body.Fail("to", string.Create(CultureInfo.InvariantCulture, $"It must lie at most {longest.TotalDays:0.###} days after 'from' (Query:MaxRebuildRange). Ask for several rebuilds."));
        return body.Problem() is { } problem ? (null, problem) : (new(from!.Value, to!.Value), null);
    }

    private static long? Time(JsonMembers body, string name)
    {
        var time = body.Time(name);
        if (time is null)
            body.Fail(name, "It is missing. Give a time as RFC 3339 writes it, for example 2026-01-31T08:00:00Z.");
        else if (time < s_first)
            body.Fail(name, "It is too early. Give a time from 1900-01-01T00:00:00Z on.");
        return time < s_first ? null : time;
    }
}

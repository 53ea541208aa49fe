using System.Globalization;
using System.Text.Json;

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
            return Read(document.RootElement, now, longest);
    }

    private static (RebuildRequest? Request, IResult? Fault) Read(JsonElement body, DateTime now, TimeSpan longest)
    {
        var errors = new Dictionary<string, string[]>();
        var times = new Dictionary<string, long?> { ["from"] = null, ["to"] = null };
        var given = new HashSet<string>();
        foreach (var member in body.EnumerateObject())
        {
            if (!times.ContainsKey(member.Name))
                errors.TryAdd(member.Name, ["There is no such member here. Known: from, to."]);
            else if (!given.Add(member.Name))
                errors[member.Name] = ["Give it once."];
            else
                times[member.Name] = Time(member, Timestamps.ToMicros(now), errors);
        }

        foreach (var name in times.Keys.Where(name => !given.Contains(name)))
            errors.Add(name, ["It is missing. Give a time as RFC 3339 writes it, for example 2026-01-31T08:00:00Z."]);
        if (errors.Count == 0 && times["from"] >= times["to"])
            errors.Add("from", ["It must lie before 'to'."]);
        else if (errors.Count == 0 && times["to"] - times["from"] > longest.Ticks / TimeSpan.TicksPerMicrosecond)
            errors.Add("to", [string.Create(CultureInfo.InvariantCulture, $"It must lie at most {longest.TotalDays:0.###} days after 'from' (Query:MaxRebuildRange). Ask for several rebuilds.")]);
        return errors.Count == 0
            ? (new(times["from"]!.Value, times["to"]!.Value), null)
            : (null, TypedResults.ValidationProblem(errors, detail: string.Join(" ", errors.Select(e => $"{e.Key}: {e.Value[0]}")), title: "Bad request"));
    }

    private static long? Time(JsonProperty member, long now, Dictionary<string, string[]> errors)
    {
        if (member.Value.ValueKind != JsonValueKind.String || !Timestamps.TryParse(member.Value.GetString()!, out var micros))
            errors.Add(member.Name, ["Expected a time as RFC 3339 writes it, for example 2026-01-31T08:00:00Z."]);
        else if (micros > now && member.Name == "from")
            errors.Add(member.Name, ["It lies in the future: there is nothing to rebuild yet. Give a time before now."]);
        else if (micros < s_first)
            errors.Add(member.Name, ["It is too early. Give a time from 1900-01-01T00:00:00Z on."]);
        else
            return Math.Min(micros, now);
        return null;
    }
}

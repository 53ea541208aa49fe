using System.Text.Json;

namespace PaymentPlatform.Query.Audit;

/// <summary>What a corrected payload has differently.</summary>
internal static class AuditCorrection
{
    /// <returns>The changed members; null where the payloads are not both JSON objects that can be read.</returns>
    public static IReadOnlyList<AuditChange>? Compare(byte[] before, byte[] after)
    {
        try
        {
            using var old = JsonDocument.Parse(before, new() { MaxDepth = EventJson.WriterOptions.MaxDepth });
            using var corrected = JsonDocument.Parse(after, new() { MaxDepth = EventJson.WriterOptions.MaxDepth });
            return old.RootElement.ValueKind == JsonValueKind.Object && corrected.RootElement.ValueKind == JsonValueKind.Object ? [.. Compare(old.RootElement, corrected.RootElement, "")] : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not JSON, or a name with half a surrogate pair.
            return null;
        }
    }

    private static IEnumerable<AuditChange> Compare(JsonElement before, JsonElement after, string path)
    {
        var (old, corrected) = (Members(before), Members(after));
        foreach (var name in old.Select(m => m.Key).Union(corrected.Select(m => m.Key)))
        {
            List<JsonElement> was = [.. old[name]], now = [.. corrected[name]];
            if (was is [{ ValueKind: JsonValueKind.Object }] && now is [{ ValueKind: JsonValueKind.Object }])
            {
                foreach (var change in Compare(was[0], now[0], $"{path}{name}."))
                    yield return change;
            }
            else if (was.Count != now.Count || !was.Zip(now).All(pair => AreSame(pair.First, pair.Second)))
            {
                yield return new(path + name, Text(was), Text(now));
            }
        }
    }

    private static ILookup<string, JsonElement> Members(JsonElement value) => value.EnumerateObject().ToLookup(m => m.Name, m => m.Value);

    /// <summary>A number's digits count as they are written; white space does not.</summary>
    private static bool AreSame(JsonElement a, JsonElement b) => a.GetRawText() == b.GetRawText() || (a.ValueKind is JsonValueKind.Object or JsonValueKind.Array && JsonElement.DeepEquals(a, b));

    private static string? Text(List<JsonElement> values) => values.Count == 0 ? null : string.Join(", ", values.Select(v => v.GetRawText()));
}

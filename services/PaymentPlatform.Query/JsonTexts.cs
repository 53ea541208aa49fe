using System.Text.Json;

namespace PaymentPlatform.Query;

/// <summary>Finds what JSON can spell though it is no text, halves of surrogate pairs and bytes that are no UTF-8, and null characters, which PostgreSQL's texts can't hold.</summary>
internal static class JsonTexts
{
    /// <returns>The first fault: where it is (<c>filter.names[0]</c>; null: in a member's name), and what it is, as a sentence; null when all is well.</returns>
    public static (string? Path, string Fault)? FindFault(JsonElement value, string path = "")
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return FaultOf(value.GetString) is { } fault ? (path, fault) : null;
            case JsonValueKind.Array:
                return value.EnumerateArray().Index().Select(item => FindFault(item.Item, $"{path}[{item.Index}]")).FirstOrDefault(found => found is not null);
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    if (FaultOf(() => member.Name) is { } inName)
                        return (null, inName);
                    if (FindFault(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}") is { } found)
                        return found;
                }

                return null;
            default:
                return null;
        }
    }

    private static string? FaultOf(Func<string?> read)
    {
        try
        {
            return read()!.Contains('\0') ? "A null character is not allowed." : null;
        }
        catch (InvalidOperationException)
        {
            return "It is not well-formed Unicode.";
        }
    }
}

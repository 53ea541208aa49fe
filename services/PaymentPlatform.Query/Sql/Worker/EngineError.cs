using System.Globalization;
using System.Text.Json;

namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>What DuckDB says when <c>errors_as_json</c> is on: the object, alone or behind the name of its kind, or plain text.</summary>
/// <param name="Offset">Bytes from the beginning of the statement; null where it does not say.</param>
internal sealed record EngineError(string Type, string Message, int? Offset)
{
    public static EngineError Read(string text)
    {
        var start = text.IndexOf('{', StringComparison.Ordinal);
        if (start >= 0)
        {
            try
            {
                using var document = JsonDocument.Parse(text.AsMemory(start));
                return Read(document.RootElement, "exception_type", "exception_message");
            }
            catch (JsonException)
            {
                // Plain text with a brace in it.
            }
        }

        return new(text.Split(' ', 2)[0], text, null);
    }

    public static EngineError Read(JsonElement error, string type, string message) => new(
        error.TryGetProperty(type, out var t) ? t.GetString()! : "",
        error.TryGetProperty(message, out var m) ? m.GetString()! : error.GetRawText(),
        error.TryGetProperty("position", out var p) && int.TryParse(p.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? offset : null);

    public bool IsMemory => Type.Contains("memory", StringComparison.OrdinalIgnoreCase) || Message.Contains("Out of Memory", StringComparison.OrdinalIgnoreCase);

    /// <summary>The offset in characters.</summary>
    public int? Position(string statement) => Offset is { } offset ? Position(statement, offset) : null;

    /// <param name="offset">Bytes of UTF-8.</param>
    public static int Position(string statement, int offset)
    {
        var position = 0;
        foreach (var rune in statement.EnumerateRunes())
        {
            if (offset <= 0)
                break;
            offset -= rune.Utf8SequenceLength;
            position += rune.Utf16SequenceLength;
        }

        return position;
    }
}

namespace PaymentPlatform.Query;

/// <summary>The named values of a request, wherever they stand in it. What is wrong with them is collected.</summary>
public abstract class RequestValues
{
    /// <summary>Characters of a text at most.</summary>
    public const int MaxTextLength = 1024;

    /// <summary>Null when absent.</summary>
    public abstract string? Text(string name);

    /// <summary>Microseconds since the Unix epoch.</summary>
    public long? Time(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (Timestamps.TryParse(text, out var micros))
            return micros;
        Fail(name, "Expected a time as RFC 3339 writes it, for example 2026-01-31T08:00:00Z.");
        return null;
    }

    /// <summary>One of the given values, as they are written; null when absent.</summary>
    public string? Choice(string name, params ReadOnlySpan<string> choices) =>
        Text(name) is { } text
            ? choices.Contains(text) ? text : Fail(name, $"Expected one of: {string.Join(", ", choices)}.")
            : null;

    /// <summary>Keeps what is wrong with a value; the first fault of each counts.</summary>
    /// <returns>Null.</returns>
    public abstract string? Fail(string name, string message);
}

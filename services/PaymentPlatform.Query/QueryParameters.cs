using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace PaymentPlatform.Query;

/// <summary>Reads a request's query string and collects what is wrong with it. A name that the endpoint does not know is an error too: a filter that was misspelt would answer more than was asked for.</summary>
/// <param name="list">The path of a list that has pages.</param>
/// <param name="noun">What the caller calls one of them.</param>
/// <param name="names">How their names compare; null: in whatever case.</param>
public sealed class QueryParameters(IQueryCollection query, PathString list = default, string noun = "parameter", StringComparer? names = null) : RequestValues
{
    private readonly Dictionary<string, string[]> _errors = [];
    private readonly HashSet<string> _known = new(names ?? StringComparer.OrdinalIgnoreCase);

    public override string? Text(string name)
    {
        _known.Add(name);
        if (!query.TryGetValue(name, out var values) || values.Count == 0)
            return null;
        if (values.Count > 1)
            return Fail(name, "Give it once.");
        var value = values[0];
        if (string.IsNullOrEmpty(value))
            return Fail(name, "It is empty. Leave it out, or give it a value.");
        if (value.Length > MaxTextLength)
            return Fail(name, $"At most {MaxTextLength} characters.");
        return value.Contains('\0') ? Fail(name, "A null character is not allowed.") : value;
    }

    /// <summary>Two times of which the first is not after the second.</summary>
    public (long? From, long? To) Range()
    {
        var (from, to) = (Time("from"), Time("to"));
        if (from > to)
            Fail("from", "It is after 'to'.");
        return (from, to);
    }

    public long Integer(string name, long defaultValue, long min, long max)
    {
        if (Text(name) is not { } text)
            return defaultValue;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
            return value;
        Fail(name, $"Expected a whole number from {min} to {max}.");
        return defaultValue;
    }

    public decimal? Amount(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (text.Length <= 24 && decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && Math.Abs(value) < 1_000_000_000_000_000m && decimal.Round(value, 4) == value)
            return decimal.Round(value, 4);
        Fail(name, "Expected a number with at most 15 digits before and 4 after the point.");
        return null;
    }

    public bool? Boolean(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (bool.TryParse(text, out var value))
            return value;
        Fail(name, "Expected true or false.");
        return null;
    }

    /// <summary>A comma-separated list of some of the given values, each once; empty when absent.</summary>
    public IReadOnlyList<string> Choices(string name, IReadOnlyList<string> choices)
    {
        if (Text(name) is not { } text)
            return [];
        var chosen = text.Split(',', StringSplitOptions.TrimEntries);
        if (chosen.All(choices.Contains) && chosen.Distinct().Count() == chosen.Length)
            return chosen;
        Fail(name, $"Expected some of: {string.Join(", ", choices)}; separated by commas, each once.");
        return [];
    }

    /// <summary>Parses what an earlier answer to the same question gave as <c>next_cursor</c>.</summary>
    public T? Cursor<T>(Func<string, T?> parse)
        where T : class
    {
        if (Text("cursor") is not { } text)
            return null;
        if (BoundCursor.Open(text, Question()) is not { } place)
            Fail("cursor", BoundCursor.OfAnother);
        else if (parse(place) is { } cursor)
            return cursor;
        else
            Fail("cursor", "Not a cursor of this list. Use next_cursor of the page before, unchanged.");
        return null;
    }

    /// <summary>The cursor of a list whose latest item comes first: only items of lower ids follow.</summary>
    public long CursorId() => Cursor<object>(place => long.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id > 0 ? id : null) is long before ? before : long.MaxValue;

    /// <summary>The <c>next_cursor</c> of this question.</summary>
    /// <param name="place">The page's last item.</param>
    public string NextCursor(object place) => BoundCursor.Bind(string.Create(CultureInfo.InvariantCulture, $"{place}"), Question());

    /// <summary>Null when all is well. To be called after all parameters have been read.</summary>
    public ValidationProblem? Problem()
    {
        foreach (var name in query.Keys.Where(k => !_known.Contains(k)))
            _errors.TryAdd(name, [_known.Count == 0 ? $"There is no such {noun} here; there is none at all." : $"There is no such {noun} here. Known: {string.Join(", ", _known)}."]);
        return _errors.Count == 0 ? null : TypedResults.ValidationProblem(_errors, detail: string.Join(" ", _errors.Select(e => $"{e.Key}: {e.Value[0]}")), title: "Bad query parameter");
    }

    /// <summary>All that is asked for but the page.</summary>
    private string Question() => string.Join('\n', query
        .Where(p => !p.Key.Equals("cursor", StringComparison.OrdinalIgnoreCase) && !p.Key.Equals("limit", StringComparison.OrdinalIgnoreCase))
        .Select(p => $"{p.Key.ToLowerInvariant()}={Uri.EscapeDataString(p.Value.ToString())}")
        .Order(StringComparer.Ordinal).Prepend(list.Value ?? ""));

    public override string? Fail(string name, string message)
    {
        _errors.TryAdd(name, [message]);
        return null;
    }
}

using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>One mapping of a rule file: reads its keys, and reports what doesn't fit instead of throwing.</summary>
internal sealed class YamlSection(YamlMappingNode node, string source, RuleErrorList errors, string? rule, string path)
{
    public string? Rule { get; set; } = rule;

    public long Line => node.Start.Line;

    public IEnumerable<(string Name, YamlNode Key, YamlNode Value)> Entries => node.Children.Select(c => (c.Key is YamlScalarNode { Value: { } name } ? name : "", c.Key, c.Value));

    public void RejectUnknown(string[] known)
    {
        foreach (var (name, key, _) in Entries.Where(e => !known.Contains(e.Name)))
            errors.Add(key.Start.Line, Rule, $"{path}{name} is unknown: there are {string.Join(", ", known)}.");
    }

    public bool Has(string name) => Find(name) is not null;

    public long LineOf(string name) => Find(name)?.Start.Line ?? Line;

    public void Fault(string name, string message) => errors.Add(LineOf(name), Rule, $"{path}{name} {message}");

    public YamlNode? Find(string name) => node.Children.TryGetValue(new YamlScalarNode(name), out var value) && !IsNull(value) ? value : null;

    /// <summary>A value of one line or more; null when there is none, or after a report.</summary>
    public string? Text(string name)
    {
        switch (Find(name))
        {
            case null:
                return null;
            case YamlScalarNode { Value: { } text }:
                return text;
            default:
                Fault(name, "must be one value, not a list or a mapping.");
                return null;
        }
    }

    public string? Required(string name)
    {
        if (!Has(name))
            errors.Add(Line, Rule, $"{path}{name} is missing.");
        return Text(name);
    }

    public long? Duration(string name, string what, bool required = false)
    {
        if ((required ? Required(name) : Text(name)) is not { } text)
            return null;
        if (Durations.TryParse(text) is { } micros)
            return micros;
        Fault(name, $"is '{text}': {what}");
        return null;
    }

    public decimal? Number(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (ParseNumber(text) is { } number)
            return number;
        Fault(name, $"is '{text}', and must be a number.");
        return null;
    }

    public IReadOnlyList<string> Texts(string name)
    {
        switch (Find(name))
        {
            case YamlScalarNode { Value: { } one }:
                return [one];
            case YamlSequenceNode list when list.Children.All(c => c is YamlScalarNode):
                return [.. list.Children.Select(c => ((YamlScalarNode)c).Value ?? "")];
            case null:
                return [];
            default:
                Fault(name, "must be one value or a list of them.");
                return [];
        }
    }

    public YamlSection? Section(string name)
    {
        if (Find(name) is not { } found)
            return null;
        if (found is YamlMappingNode mapping)
            return new(mapping, source, errors, Rule, $"{path}{name}.");
        Fault(name, "must be a mapping.");
        return null;
    }

    /// <summary>Reads an expression; a fault is reported with its own line and column.</summary>
    public T? Parse<T>(string name, Func<string, T> parse)
        where T : class
    {
        if (Text(name) is null)
            return null;
        var scalar = (YamlScalarNode)Find(name)!;
        var (text, start) = SourceOf(scalar);
        try
        {
            return parse(text);
        }
        catch (ExpressionException exception)
        {
            var (line, column) = PlaceOf(scalar, text, start, exception.At);
            errors.Add(line, Rule, $"{path}{name}, column {column}: {exception.Message}");
            return null;
        }
    }

    /// <summary>Where a fault at a character of an expression is reported.</summary>
    public void FaultAt(string name, int at, string message)
    {
        var scalar = (YamlScalarNode)Find(name)!;
        var (text, start) = SourceOf(scalar);
        var (line, column) = PlaceOf(scalar, text, start, at);
        errors.Add(line, Rule, $"{path}{name}, column {column}: {message}");
    }

    public static decimal? ParseNumber(string text) =>
        decimal.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static bool IsNull(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain or ScalarStyle.Any, Value: null or "" or "~" or "null" };

    /// <summary>Expressions care for no white space, so that of plain and block values the file's own text is read: every place is exact.</summary>
    private (string Text, int Start) SourceOf(YamlScalarNode scalar)
    {
        var (start, end) = ((int)scalar.Start.Index, Math.Min((int)scalar.End.Index, source.Length));
        switch (scalar.Style)
        {
            case ScalarStyle.Plain:
                return (source[start..end], start);
            case ScalarStyle.Literal or ScalarStyle.Folded:
                var body = source.IndexOf('\n', start) + 1;
                return body > start && body <= end ? (source[body..end], body) : (scalar.Value!, -1);
            default:
                return (scalar.Value!, -1);
        }
    }

    private (long Line, long Column) PlaceOf(YamlScalarNode scalar, string text, int start, int at)
    {
        // A quoted value: right as long as it has no escapes.
        if (start < 0)
            return (scalar.Start.Line, scalar.Start.Column + 1 + at);
        var index = start + Math.Min(at, text.TrimEnd().Length);
        return (source.AsSpan(0, index).Count('\n') + 1, index - source.LastIndexOf('\n', Math.Max(0, index - 1)));
    }
}

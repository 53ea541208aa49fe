namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Reads sliding, requires_earlier and followed_by.</summary>
internal static class StateReader
{
    /// <summary>A sliding count keeps as many timestamps a key.</summary>
    private const int MostCounted = 10_000;
    private const int MostKeyFields = 3;
    private const long LongestWithin = 31 * Durations.Day;

    public static StateParts Read(YamlSection rule, RuleKind kind, ExpressionScope scope)
    {
        var (name, known) = kind switch
        {
            RuleKind.Sliding => ("sliding", RuleFileKeys.Sliding),
            RuleKind.RequiresEarlier => ("requires_earlier", RuleFileKeys.RequiresEarlier),
            RuleKind.FollowedBy => ("followed_by", RuleFileKeys.FollowedBy),
            _ => ("", []),
        };
        if (known.Length == 0 || rule.Section(name) is not { } section)
            return StateParts.None;

        section.RejectUnknown(known);
        var within = section.Duration("within", "give a duration such as 1m, 1h or 1d.", required: true);
        if (within > LongestWithin)
            section.Fault("within", $"is longer than {Durations.Show(LongestWithin)}: all keys of that time would have to be remembered.");
        var other = section.Parse("condition", text => ExpressionParser.Parse(text, scope));
        if (kind != RuleKind.Sliding && !section.Has("condition"))
            section.Fault("condition", "is missing: it says what the other event is.");
        return new(ReadKey(section), within ?? 0, kind == RuleKind.Sliding ? ReadAtLeast(rule, section, scope) : null, other, ReadDiffers(section));
    }

    private static List<FieldPath> ReadKey(YamlSection section)
    {
        List<FieldPath> key = [];
        var names = section.Texts("key");
        if (names.Count == 0)
            section.Fault("key", "is missing: give customer_id or transaction_id.");
        if (names.Count > MostKeyFields)
            section.Fault("key", $"has {names.Count} fields: {MostKeyFields} is the most.");
        foreach (var name in names)
        {
            if (FieldPath.TryParse(name) is not { Type: FieldType.Text or FieldType.Any } field || key.Contains(field))
                section.Fault("key", $"can't have '{name}': name text fields, each once.");
            else
                key.Add(field);
        }

        if (key.Count > 0 && key[0].Column is not (EventColumn.CustomerId or EventColumn.TransactionId))
        {
            section.Fault("key", $"begins with {key[0].Name}, whose events are spread over the stream's partitions in no common order. " +
                "Begin it with customer_id or transaction_id, or count by a tumbling window instead (group_by and window).");
        }

        return key;
    }

    private static ThresholdTable? ReadAtLeast(YamlSection rule, YamlSection section, ExpressionScope scope)
    {
        if (section.Required("at_least") is not { } text)
            return null;
        var isSum = rule.Text("metric_type") == "sum";
        if (YamlSection.ParseNumber(text) is { } number)
        {
            if (number <= 0 || (!isSum && (number % 1 != 0 || number > MostCounted)))
            {
                section.Fault("at_least", isSum ? "must be more than 0." : $"must be a whole number from 1 to {MostCounted}.");
                return null;
            }

            return new("", number, new Dictionary<string, decimal>());
        }

        if (isSum && text.StartsWith("thresholds.", StringComparison.Ordinal) && scope.Thresholds.TryGetValue(text["thresholds.".Length..], out var table))
            return table;
        section.Fault("at_least", isSum ? $"is '{text}': give a number, or a name of thresholds." : $"is '{text}', and must be a whole number.");
        return null;
    }

    private static FieldPath? ReadDiffers(YamlSection section)
    {
        if (section.Text("differs") is not { } text)
            return null;
        if (FieldPath.TryParse(text) is { Type: FieldType.Text or FieldType.Any } field)
            return field;
        section.Fault("differs", $"is '{text}', and must be a text field.");
        return null;
    }
}

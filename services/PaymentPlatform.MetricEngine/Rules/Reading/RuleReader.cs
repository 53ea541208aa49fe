using System.Globalization;
using System.Text.RegularExpressions;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Reads one rule. Its kind follows from its keys.</summary>
internal static partial class RuleReader
{
    private const int MostGroups = 3;
    private static readonly string[] StateKeys = ["sliding", "requires_earlier", "followed_by"];

    public static string? ReadName(YamlSection section)
    {
        if (section.Required("name") is not { } name)
            return null;
        section.Rule = name;
        if (Name().IsMatch(name))
            return name;
        section.Fault("name", $"is '{name}': use small letters, digits and _, a letter first, 64 at most.");
        return null;
    }

    public static RuleDefinition? Read(YamlSection section, ExpressionScope scope, RuleLimits limits)
    {
        section.RejectUnknown(RuleFileKeys.Rule);
        var version = ReadVersion(section);
        var enabled = ReadEnabled(section);
        var metricType = ReadMetricType(section);
        var kind = ReadKind(section, metricType);
        var state = StateReader.Read(section, kind, scope);
        var condition = section.Parse("condition", text => ExpressionParser.Parse(text, scope));
        var matching = section.Parse("matching", text => ExpressionParser.Parse(text, scope));
        var formula = section.Parse("expression", DerivedFormula.Parse);
        var field = ReadField(section);
        var groups = ReadGroups(section);
        var window = ReadWindow(section);
        if (metricType is { } type)
            CheckParts(section, kind, type, field, groups, state);
        if (version is null || metricType is null || section.Rule is null)
            return null;

        return new()
        {
            Name = section.Rule,
            Version = version.Value,
            Enabled = enabled,
            Description = section.Text("description") ?? "",
            MetricType = metricType.Value,
            Kind = kind,
            Line = (int)section.Line,
            GroupBy = [.. groups.Select(g => g.Name)],
            GroupFields = groups,
            WindowMicros = window ?? 0,
            Condition = condition,
            Matching = matching,
            Formula = formula,
            Field = field,
            Key = state.Key,
            WithinMicros = state.WithinMicros,
            AtLeast = state.AtLeast,
            Other = state.Other,
            Differs = state.Differs,
            LatenessMicros = limits.LatenessMicros,
            MaxKeys = limits.MaxKeys,
        };
    }

    private static RuleKind ReadKind(YamlSection section, MetricType? metricType)
    {
        var forms = StateKeys.Where(section.Has).ToList();
        foreach (var second in forms.Skip(1))
            section.Fault(second, $"can't be in a rule that has {forms[0]}: make two rules.");
        return forms.FirstOrDefault() switch
        {
            "sliding" => RuleKind.Sliding,
            "requires_earlier" => RuleKind.RequiresEarlier,
            "followed_by" => RuleKind.FollowedBy,
            _ when metricType == MetricType.Derived => RuleKind.Derived,
            _ when section.Has("window") || section.Has("group_by") || section.Has("matching") => RuleKind.Window,
            _ => RuleKind.Event,
        };
    }

    private static void CheckParts(YamlSection section, RuleKind kind, MetricType type, FieldPath? field, IReadOnlyList<FieldPath> groups, StateParts state)
    {
        var share = type is MetricType.Ratio or MetricType.Percentage;
        var needsField = type is MetricType.Sum or MetricType.Average;
        Need(section, "condition", kind is RuleKind.Event or RuleKind.RequiresEarlier or RuleKind.FollowedBy, "every event would be a hit");
        Need(section, "window", kind == RuleKind.Window, "group_by and matching divide windows");
        Need(section, "matching", kind == RuleKind.Window && share, "it says which events of the condition's are the numerator");
        Need(section, "expression", kind == RuleKind.Derived, "a derived rule is made of others");
        Need(section, "field", needsField && kind is RuleKind.Window or RuleKind.Sliding && needsField, "it says what is added up");

        if (kind != RuleKind.Window)
            Forbid(section, "window and group_by are of rules that count by window", "window", "group_by");
        if (!(kind == RuleKind.Window && share))
            Forbid(section, "only a ratio or percentage by window has it", "matching");
        if (kind != RuleKind.Derived)
            Forbid(section, "only metric_type derived has it", "expression");
        else
            Forbid(section, "a derived rule has an expression over other rules and nothing else", "condition", "field");

        if (kind == RuleKind.Event && (share || type is MetricType.Average))
            section.Fault("metric_type", "needs a window: a rule over single events is a count or a sum.");
        if (kind is RuleKind.RequiresEarlier or RuleKind.FollowedBy && type != MetricType.Count)
            section.Fault("metric_type", "must be count: hits of this form have no other figure.");
        if (kind == RuleKind.Sliding && type is not (MetricType.Count or MetricType.Sum))
            section.Fault("metric_type", "must be count or sum in a sliding rule.");
        if (kind is RuleKind.Window or RuleKind.Sliding && !needsField && section.Has("field"))
            section.Fault("field", "is only used by sum and average.");
        if (field?.Column == EventColumn.Amount && !groups.Concat(state.Key).Any(f => f.Column == EventColumn.Currency))
        {
            if (kind == RuleKind.Window && needsField)
                section.Fault("group_by", "must have currency: amounts of several currencies can't be added up.");
            if (kind == RuleKind.Sliding && needsField)
                section.Fault("sliding", "must have currency in its key: amounts of several currencies can't be added up.");
        }
    }

    private static void Need(YamlSection section, string name, bool needed, string why)
    {
        if (needed && !section.Has(name))
            section.Fault(name, $"is missing: {why}.");
    }

    private static void Forbid(YamlSection section, string why, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (section.Has(name))
                section.Fault(name, $"can't be here: {why}.");
        }
    }

    private static int? ReadVersion(YamlSection section)
    {
        if (section.Required("version") is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version >= 1)
            return version;
        section.Fault("version", $"is '{text}', and must be a whole number from 1.");
        return null;
    }

    private static bool ReadEnabled(YamlSection section)
    {
        var text = section.Text("enabled");
        if (text is not (null or "true" or "false"))
            section.Fault("enabled", $"is '{text}', and must be true or false.");
        return text != "false";
    }

    private static MetricType? ReadMetricType(YamlSection section)
    {
        if (section.Required("metric_type") is not { } text)
            return null;
        if (Enum.TryParse<MetricType>(text, ignoreCase: true, out var type) && Enum.GetName(type)?.ToLowerInvariant() == text)
            return type;
        section.Fault("metric_type", $"is '{text}': there are {string.Join(", ", Enum.GetNames<MetricType>()).ToLowerInvariant()}.");
        return null;
    }

    private static FieldPath? ReadField(YamlSection section)
    {
        if (section.Text("field") is not { } text)
            return null;
        if (FieldPath.TryParse(text) is { Type: FieldType.Number or FieldType.Any } field)
            return field;
        section.Fault("field", $"is '{text}', and must be a number: amount, or one of metadata.");
        return null;
    }

    private static List<FieldPath> ReadGroups(YamlSection section)
    {
        var names = section.Texts("group_by");
        if (names.Count > MostGroups)
            section.Fault("group_by", $"has {names.Count} fields: {MostGroups} is the most, as every combination is a row.");
        List<FieldPath> groups = [];
        foreach (var name in names)
        {
            if (FieldPath.TryParse(name) is { Type: FieldType.Text or FieldType.Any } field && !groups.Contains(field))
                groups.Add(field);
            else
                section.Fault("group_by", $"can't have '{name}': name text fields, each once.");
        }

        return groups;
    }

    private static long? ReadWindow(YamlSection section)
    {
        const string what = "give 5m, 1h, 1d or another duration that divides a day.";
        var window = section.Duration("window", what);
        if (window is not { } micros || Durations.Day % micros == 0)
            return window;
        section.Fault("window", $"is '{section.Text("window")}': {what}");
        return null;
    }

    [GeneratedRegex(@"^[a-z][a-z0-9_]{0,63}\z")]
    private static partial Regex Name();
}

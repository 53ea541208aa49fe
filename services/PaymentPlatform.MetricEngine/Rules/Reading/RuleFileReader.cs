using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Reads a rule file with YamlDotNet's representation model, so that every fault has its line.</summary>
internal static class RuleFileReader
{
    public const int MostRules = 500;
    private const int MostCharacters = 1_000_000;
    private const int MostDepth = 32;
    private const long DefaultLateness = 3_600 * Durations.Second;
    private const int DefaultKeys = 100_000;
    private const int MostKeys = 10_000_000;

    public static RuleParseResult Read(string yaml, string file)
    {
        var errors = new RuleErrorList(file);
        List<RuleDefinition> rules = [];
        if (yaml.Length > MostCharacters)
            return new(null, [new(file, 1, null, $"has more than {MostCharacters} characters: split the rules or leave some out.")]);
        var scanner = new Scanner(new StringReader(yaml));
        try
        {
            CheckDepth(new Parser(scanner));
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            if (stream.Documents is not [{ RootNode: YamlMappingNode root }])
                errors.Add(1, null, "The file must be one mapping with the key 'rules'.");
            else
                rules = ReadFile(new(root, yaml, errors, null, ""), yaml, errors);
        }
        catch (YamlException exception)
        {
            errors.Add(Math.Max(1, exception.Start.Line), null, $"is not YAML: {exception.Message} (column {exception.Start.Column}).");
        }

        catch (InvalidOperationException)
        {
            // YamlDotNet 18.1.0 throws this at the end of a file within a flow sequence.
            errors.Add(Math.Max(1, scanner.CurrentPosition.Line), null, "is not YAML: it ends too early.");
        }

        return errors.Count > 0 ? new(null, errors.Ordered) : new(new RuleSet(yaml, rules), []);
    }

    private static List<RuleDefinition> ReadFile(YamlSection root, string yaml, RuleErrorList errors)
    {
        root.RejectUnknown(RuleFileKeys.File);
        var scope = new ExpressionScope(ReadThresholds(root, errors), ReadLists(root));
        var limits = new RuleLimits(root.Duration("allowed_lateness", "give a duration such as 1h.") ?? DefaultLateness, (int)(ReadMaxKeys(root) ?? DefaultKeys));
        if (root.Find("rules") is not YamlSequenceNode list)
        {
            root.Fault("rules", "must be a list of rules.");
            return [];
        }

        if (list.Children.Count > MostRules)
            root.Fault("rules", $"has {list.Children.Count} rules: {MostRules} is the most.");

        List<(RuleDefinition Rule, YamlSection Section)> rules = [];
        Dictionary<string, long> names = [];
        foreach (var item in list.Children)
        {
            if (item is not YamlMappingNode mapping)
            {
                errors.Add(item.Start.Line, null, "A rule must be a mapping with a name.");
                continue;
            }

            var section = new YamlSection(mapping, yaml, errors, null, "");
            if (RuleReader.ReadName(section) is { } name && !names.TryAdd(name, section.LineOf("name")))
                section.Fault("name", $"is already used in line {names[name]}: names must differ.");
            if (RuleReader.Read(section, scope, limits) is { } rule)
                rules.Add((rule, section));
        }

        if (errors.Count == 0)
            DerivedRules.Resolve(rules);
        return [.. rules.Select(r => r.Rule)];
    }

    /// <summary>Reading nodes is recursive, so that hostile nesting would end the process.</summary>
    private static void CheckDepth(Parser parser)
    {
        for (var depth = 0; parser.MoveNext();)
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MostDepth)
                throw new YamlException(parser.Current.Start, parser.Current.End, $"nested deeper than {MostDepth} levels");
        }
    }

    private static decimal? ReadMaxKeys(YamlSection root)
    {
        if (root.Number("max_keys") is not { } number)
            return null;
        if (number is >= 1_000 and <= MostKeys && number % 1 == 0)
            return number;
        root.Fault("max_keys", $"must be a whole number from 1000 to {MostKeys}.");
        return null;
    }

    private static Dictionary<string, ThresholdTable> ReadThresholds(YamlSection root, RuleErrorList errors)
    {
        Dictionary<string, ThresholdTable> tables = [];
        if (root.Section("thresholds") is not { } section)
            return tables;
        foreach (var (name, key, value) in section.Entries)
        {
            if (value is not YamlMappingNode)
            {
                if (section.Number(name) is { } number)
                    tables[name] = new(name, number, new Dictionary<string, decimal>());
                else if (!section.Has(name))
                    errors.Add(key.Start.Line, null, $"thresholds.{name} needs a number, or numbers by currency.");
                continue;
            }

            var table = section.Section(name)!;
            Dictionary<string, decimal> byCurrency = [];
            foreach (var (currency, currencyKey, _) in table.Entries.Where(e => e.Name != "default"))
            {
                if (currency.Length != 3 || !currency.All(char.IsAsciiLetterUpper))
                    errors.Add(currencyKey.Start.Line, null, $"thresholds.{name}.{currency} is no currency: they have three capital letters; 'default' is for the others.");
                else if (table.Number(currency) is { } number)
                    byCurrency[currency] = number;
            }

            tables[name] = new(name, table.Number("default"), byCurrency);
        }

        return tables;
    }

    private static Dictionary<string, IReadOnlyList<string>> ReadLists(YamlSection root) =>
        root.Section("lists") is { } section ? section.Entries.ToDictionary(e => e.Name, e => section.Texts(e.Name)) : [];
}

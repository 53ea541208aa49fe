namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Checks derived rules against the others, and gives them the group and window of what they are made of.</summary>
internal static class DerivedRules
{
    public static void Resolve(IReadOnlyList<(RuleDefinition Rule, YamlSection Section)> rules)
    {
        var byName = rules.ToDictionary(r => r.Rule.Name, r => r.Rule);
        HashSet<string> done = [];
        foreach (var (rule, section) in rules.Where(r => r.Rule.Formula is not null))
            Visit(rule, section, [], byName, done, rules);
    }

    private static void Visit(
        RuleDefinition rule, YamlSection section, List<string> above, Dictionary<string, RuleDefinition> byName, HashSet<string> done, IReadOnlyList<(RuleDefinition Rule, YamlSection Section)> rules)
    {
        if (!done.Add(rule.Name))
            return;
        above.Add(rule.Name);
        foreach (var (name, at) in rule.Formula!.Places)
        {
            if (!byName.TryGetValue(name, out var part))
            {
                section.FaultAt("expression", at, $"{name} is no rule of this file.");
                continue;
            }

            if (above.Contains(name))
            {
                section.FaultAt("expression", at, $"{string.Join(" > ", above.SkipWhile(n => n != name))} > {name} goes round in a circle.");
                continue;
            }

            if (part.Kind is not (RuleKind.Window or RuleKind.Derived))
            {
                section.FaultAt("expression", at, $"{name} has no window: a derived rule is made of rules with windows.");
                continue;
            }

            if (!part.Enabled && rule.Enabled)
                section.FaultAt("expression", at, $"{name} is switched off: switch it on, or this rule off.");
            if (part.Formula is not null)
                Visit(part, rules.First(r => r.Rule == part).Section, above, byName, done, rules);
            if (rule.WindowMicros == 0)
                (rule.WindowMicros, rule.GroupBy) = (part.WindowMicros, part.GroupBy);
            else if (part.WindowMicros != 0 && (part.WindowMicros != rule.WindowMicros || !part.GroupBy.SequenceEqual(rule.GroupBy)))
                section.FaultAt("expression", at, $"{name} has another window or group_by than the rules before it: they must be the same.");
        }

        above.RemoveAt(above.Count - 1);
        if (rule.Formula.Places.Count == 0)
            section.Fault("expression", "names no rule: a derived rule is made of others.");
    }
}

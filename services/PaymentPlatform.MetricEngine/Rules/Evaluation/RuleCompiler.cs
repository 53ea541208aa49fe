namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Makes the rules of a set that are switched on ready.</summary>
internal static class RuleCompiler
{
    public static CompiledRule[] Compile(RuleSet rules, EventView view)
    {
        var conditions = new ConditionCompiler(view);
        var numbers = new NumberCompiler(view);
        List<CompiledRule> compiled = [];
        for (var i = 0; i < rules.Rules.Count; i++)
        {
            var rule = rules.Rules[i];
            if (!rule.Enabled || rule.Kind == RuleKind.Derived)
                continue;
            var condition = conditions.Compile(rule.Condition);
            var field = rule.Field is null ? null : view.Use(rule.Field);
            EventField[] key = [.. rule.Key.Select(view.Use)];
            compiled.Add(rule switch
            {
                { Kind: RuleKind.Event } => new EventRule(rule, condition!, field, new HitData(view)),
                { Kind: RuleKind.Window } => new WindowRule(rule, i, condition, conditions.Compile(rule.Matching), field, [.. rule.GroupFields.Select(view.Use)]),
                { Kind: RuleKind.Sliding, MetricType: MetricType.Sum } => new SlidingSumRule(rule, condition, key, field!, numbers, new HitData(view)),
                { Kind: RuleKind.Sliding } => new SlidingCountRule(rule, condition, key, new HitData(view)),
                { Kind: RuleKind.RequiresEarlier } => new RequiresEarlierRule(rule, condition!, conditions.Compile(rule.Other)!, key, new HitData(view)),
                _ => new FollowedByRule(rule, condition!, conditions.Compile(rule.Other)!, key, rule.Differs is null ? null : view.Use(rule.Differs), new HitData(view)),
            });
        }

        return [.. compiled];
    }
}

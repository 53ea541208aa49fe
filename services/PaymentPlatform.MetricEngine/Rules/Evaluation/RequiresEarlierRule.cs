namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A hit for each matching event whose key has no event of the other kind before it.</summary>
internal sealed class RequiresEarlierRule(RuleDefinition rule, Func<EventView, bool> condition, Func<EventView, bool> earlier, EventField[] key, HitData data) : CompiledRule(rule)
{
    private EarlierState? _state;

    public override void Attach(PartitionRuleState state) => _state = (EarlierState)state.StateOf(Rule);

    public override void Apply(in RuleContext context)
    {
        var e = context.Event;
        var (isLater, isEarlier) = (condition(e), earlier(e));
        if ((!isLater && !isEarlier) || !IsInTime(context) || !TryKey(e, key, out var hash))
            return;
        if (isLater && !_state!.TryFind(hash, e.Micros, context.Newest, out _))
            Hit(context, 1, data.OfEarlier(key, null, null, Rule.WithinMicros));
        if (isEarlier)
            _state!.Remember(hash, e.Micros, 0, context.Newest);
    }
}

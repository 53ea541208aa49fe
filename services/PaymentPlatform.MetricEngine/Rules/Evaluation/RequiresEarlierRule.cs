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
        var place = _state!.Find(hash, context.Newest);
        if (isLater && !_state.IsWithin(place, e.Micros, out _))
            Hit(context, 1, data.OfEarlier(key, null, null, Rule.WithinMicros));
        if (isEarlier)
            _state.Remember(hash, place, e.Micros, 0);
    }
}

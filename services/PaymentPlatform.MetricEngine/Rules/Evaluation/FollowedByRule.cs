namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A hit for each event of the second kind whose key has one of the first kind before it, which differs where it has to.</summary>
internal sealed class FollowedByRule(
    RuleDefinition rule, Func<EventView, bool> first, Func<EventView, bool> second, EventField[] key, EventField? differs, HitData data) : CompiledRule(rule)
{
    private EarlierState? _state;

    public override void Attach(PartitionRuleState state) => _state = (EarlierState)state.StateOf(Rule);

    public override void Apply(in RuleContext context)
    {
        var e = context.Event;
        var (isFirst, isSecond) = (first(e), second(e));
        if ((!isFirst && !isSecond) || !IsInTime(context) || !TryKey(e, key, out var hash))
            return;
        var value = differs is null ? 0 : e.HashOf(differs);
        var place = _state!.Find(hash, context.Newest);
        if (isSecond && _state.IsWithin(place, e.Micros, out var found) && (differs is null || (value != 0 && found.Value != 0 && value != found.Value)))
            Hit(context, 1, data.OfEarlier(key, found.Newest, differs, Rule.WithinMicros));
        if (isFirst)
            _state.Remember(hash, place, e.Micros, value);
    }
}

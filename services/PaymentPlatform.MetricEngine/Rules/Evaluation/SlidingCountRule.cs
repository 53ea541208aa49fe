namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A hit at the event with which its key's window has enough matching events.</summary>
internal sealed class SlidingCountRule(RuleDefinition rule, Func<EventView, bool>? condition, EventField[] key, HitData data) : CompiledRule(rule)
{
    private SlidingCountState? _state;

    public override void Attach(PartitionRuleState state) => _state = (SlidingCountState)state.StateOf(Rule);

    public override void Apply(in RuleContext context)
    {
        var e = context.Event;
        if ((condition is not null && !condition(e)) || !IsInTime(context) || !TryKey(e, key, out var hash))
            return;
        if (_state!.Count(hash, e.Micros, context.Newest, out var from, out var to))
            Hit(context, Rule.AtLeast!.Default!.Value, data.OfWindow(key, from, to, Rule.WithinMicros));
    }
}

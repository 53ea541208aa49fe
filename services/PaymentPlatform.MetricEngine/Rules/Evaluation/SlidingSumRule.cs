namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A hit at the event with which its key's window has a sum that is large enough.</summary>
internal sealed class SlidingSumRule : CompiledRule
{
    private readonly Func<EventView, bool>? _condition;
    private readonly EventField[] _key;
    private readonly EventField _field;
    private readonly HitData _data;
    private readonly EventField _currency;
    private readonly Int128?[] _atLeast;
    private SlidingSumState? _state;

    public SlidingSumRule(RuleDefinition rule, Func<EventView, bool>? condition, EventField[] key, EventField field, NumberCompiler numbers, HitData data)
        : base(rule)
    {
        (_condition, _key, _field, _data) = (condition, key, field, data);
        (_currency, _atLeast) = numbers.ByCurrency(rule.AtLeast!, value => (Int128)Math.Ceiling(value * 10_000));
    }

    public override void Attach(PartitionRuleState state) => _state = (SlidingSumState)state.StateOf(Rule);

    public override void Apply(in RuleContext context)
    {
        var e = context.Event;
        if ((_condition is not null && !_condition(e)) || !IsInTime(context) || !TryKey(e, _key, out var hash) || !e.TryScaled(_field, out var value)
            || NumberCompiler.Pick(_atLeast, e.Literal(_currency)) is not { } atLeast)
            return;
        if (_state!.Add(hash, e.Micros, value, atLeast, context.Newest, out var from, out var to, out var sum))
            Hit(context, (decimal)sum / 10_000, _data.OfWindow(_key, from, to, Rule.WithinMicros));
    }
}

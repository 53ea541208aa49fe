namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Adds the event to the bucket of its group and window.</summary>
internal sealed class WindowRule(
    RuleDefinition rule, int index, Func<EventView, bool>? condition, Func<EventView, bool>? matching, EventField? field, EventField[] group) : CompiledRule(rule)
{
    private readonly long _window = rule.WindowMicros;

    // Events come nearly in order: most are in the window of the one before.
    private long _windowStart = long.MaxValue;
    private long _windowNumber;

    public override void Apply(in RuleContext context)
    {
        var e = context.Event;
        if (condition is not null && !condition(e))
            return;
        Int128 value = 0;
        if (field is not null && !e.TryScaled(field, out value))
            return;

        UInt128 key = 0;
        foreach (var part in group)
            key = KeyHash.Combine(key, e.HashOf(part));
        ref var values = ref context.Output.Bucket(new(key, WindowOf(e.Micros), index), e, group);
        if (matching is not null && matching(e))
            values.Matched++;
        if (field is null)
            values.Count++;
        else
            values.AddValue(value);
    }

    private long WindowOf(long micros)
    {
        if (micros < _windowStart || micros - _windowStart >= _window)
        {
            _windowNumber = micros / _window - (micros % _window < 0 ? 1 : 0);
            _windowStart = _windowNumber * _window;
        }

        return _windowNumber;
    }
}

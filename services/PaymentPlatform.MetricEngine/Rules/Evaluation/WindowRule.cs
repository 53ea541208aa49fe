namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Adds the event to the bucket of its group and window.</summary>
internal sealed class WindowRule(
    RuleDefinition rule, int index, Func<EventView, bool>? condition, Func<EventView, bool>? matching, EventField? field, EventField[] group) : CompiledRule(rule)
{
    private readonly long _window = rule.WindowMicros;

    // Events come nearly in order: most are in the window of the one before.
    private long _windowStart = long.MaxValue;
    private long _windowNumber;
    private UInt128 _windowKey;

    public override void Apply(in RuleContext context)
    {
        var e = context.Event;
        if (condition is not null && !condition(e))
            return;
        Int128 value = 0;
        if (field is not null && !e.TryScaled(field, out value))
            return;

        Enter(e.Micros);
        var key = _windowKey;
        foreach (var part in group)
            key = KeyHash.Combine(key, e.HashOf(part));
        ref var values = ref context.Output.Bucket(key, index, _windowNumber, e, group);
        if (matching is not null && matching(e))
            values.Matched++;
        if (field is null)
            values.Count++;
        else
            values.AddValue(value);
    }

    private void Enter(long micros)
    {
        if (micros >= _windowStart && micros - _windowStart < _window)
            return;
        _windowNumber = micros / _window - (micros % _window < 0 ? 1 : 0);
        _windowStart = _windowNumber * _window;
        _windowKey = KeyHash.Combine((UInt128)index, (ulong)_windowNumber);
    }
}

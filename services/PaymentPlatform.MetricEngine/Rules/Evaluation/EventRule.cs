namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A hit for each event that matches; of a sum only where the field has a value.</summary>
internal sealed class EventRule(RuleDefinition rule, Func<EventView, bool> condition, EventField? field, HitData data) : CompiledRule(rule)
{
    public override void Apply(in RuleContext context)
    {
        var e = context.Event;
        if (!condition(e))
            return;
        if (field is null)
            Hit(context, 1, data.OfEvent());
        else if (e.TryScaled(field, out var value))
            Hit(context, (decimal)value / 10_000, data.OfEvent());
    }
}

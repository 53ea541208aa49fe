namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A rule ready to be applied.</summary>
internal abstract class CompiledRule(RuleDefinition rule)
{
    public RuleDefinition Rule => rule;

    public abstract void Apply(in RuleContext context);

    /// <summary>Takes the state of the partition whose events come next.</summary>
    public virtual void Attach(PartitionRuleState state)
    {
    }

    /// <summary>Of an event that is not too late for stateful rules.</summary>
    protected bool IsInTime(in RuleContext context) => context.Event.Micros > context.Newest - rule.LatenessMicros;

    /// <returns>False when a part of the key is missing.</returns>
    protected static bool TryKey(EventView e, EventField[] fields, out UInt128 key)
    {
        key = 0;
        for (var i = 0; i < fields.Length; i++)
        {
            var hash = e.HashOf(fields[i]);
            if (hash == 0)
                return false;
            key = i == 0 ? hash : KeyHash.Combine(key, hash);
        }

        return true;
    }

    protected void Hit(in RuleContext context, decimal value, string data)
    {
        var transaction = context.Event.Transaction;
        context.Output.Add(new(
            rule, transaction.TransactionId.ToString()!, transaction.CorrelationId.ToString(), value, data, context.Event.Micros, context.Offset, context.EnqueuedAtMicros));
    }
}

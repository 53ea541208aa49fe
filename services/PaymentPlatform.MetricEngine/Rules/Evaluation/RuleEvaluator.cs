using PaymentPlatform.Events;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// Applies a rule set to events, one after the other. Compiled once, in the constructor; an event allocates nothing, except for its hits and for keys that are new. Not thread-safe: one instance a thread.
/// </summary>
public sealed class RuleEvaluator
{
    private readonly EventView _view;
    private readonly CompiledRule[] _rules;
    private PartitionRuleState? _state;

    /// <param name="cardData">How events are parsed: only where card numbers are allowed does <c>card_data</c> have to look for them.</param>
    public RuleEvaluator(RuleSet rules, CardDataMode cardData = CardDataMode.Mask)
    {
        RuleSet = rules;
        _view = new EventView(cardData);
        _rules = RuleCompiler.Compile(rules, _view);
    }

    public RuleSet RuleSet { get; }

    /// <summary>Applies all rules to a valid event.</summary>
    /// <param name="state">Of the event's partition, under the same rule set.</param>
    /// <param name="result">As the parser gave it, with the parser's masked payload where there is one.</param>
    /// <param name="offset">In the partition: noted with hits.</param>
    /// <param name="enqueuedAtMicros">Noted with hits.</param>
    /// <exception cref="InvalidOperationException">The event is not valid.</exception>
    /// <exception cref="ArgumentException">State or output are of another rule set.</exception>
    public void Evaluate(PartitionRuleState state, ParseResult result, long offset, long enqueuedAtMicros, RuleOutput output)
    {
        if (state != _state)
            Attach(state);
        _view.Begin(result);
        output.Belong(RuleSet);
        var context = new RuleContext(_view, output, state.Observe(_view.Micros), offset, enqueuedAtMicros);
        foreach (var rule in _rules)
            rule.Apply(context);
    }

    private void Attach(PartitionRuleState state)
    {
        if (state.RuleSet != RuleSet)
            throw new ArgumentException("The partition's state is of another rule set: let it continue under this one first.", nameof(state));
        foreach (var rule in _rules)
            rule.Attach(state);
        _state = state;
    }
}

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Gathers everything that is wrong with a file.</summary>
internal sealed class RuleErrorList(string file)
{
    private const int Most = 200;

    private readonly List<RuleError> _errors = [];

    public int Count => _errors.Count;

    public IReadOnlyList<RuleError> Ordered => [.. _errors.OrderBy(e => e.Line)];

    public void Add(long line, string? rule, string message)
    {
        if (_errors.Count < Most)
            _errors.Add(new(file, (int)line, rule, message));
    }
}

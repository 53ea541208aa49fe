namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>An expression that can't be meant.</summary>
internal sealed class ExpressionException(int at, string message) : Exception(message)
{
    /// <summary>Characters from the expression's beginning.</summary>
    public int At => at;
}

namespace PaymentPlatform.MetricEngine.Rules;

internal enum TokenKind
{
    End,
    Word,
    Text,
    Number,
    Symbol,
}

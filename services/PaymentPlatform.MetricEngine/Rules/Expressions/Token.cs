namespace PaymentPlatform.MetricEngine.Rules;

/// <param name="Text">Of a text its value, else as written.</param>
/// <param name="At">Characters from the expression's beginning.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int At, decimal Number = 0)
{
    public bool Is(string symbolOrWord) => Kind is TokenKind.Symbol or TokenKind.Word && Text == symbolOrWord;

    public override string ToString() => Kind == TokenKind.End ? "the end" : $"'{Text}'";
}

namespace PaymentPlatform.MetricEngine.Sketches;

/// <summary>Which events a histogram is of: <c>currency=EUR,payment_method=credit_card,payment_status=completed</c>. A value's %, comma and = are written as %25, %2C and %3D.</summary>
public readonly record struct EventType(string Currency, string PaymentMethod, string PaymentStatus)
{
    private const string CurrencyName = "currency=", MethodName = "payment_method=", StatusName = "payment_status=";

    public override string ToString() => $"{CurrencyName}{Escape(Currency)},{MethodName}{Escape(PaymentMethod)},{StatusName}{Escape(PaymentStatus)}";

    /// <returns>False for a text that is none.</returns>
    public static bool TryParse(string text, out EventType type)
    {
        var parts = text.Split(',');
        var good = parts.Length == 3 && parts[0].StartsWith(CurrencyName, StringComparison.Ordinal) && parts[1].StartsWith(MethodName, StringComparison.Ordinal) && parts[2].StartsWith(StatusName, StringComparison.Ordinal);
        type = good ? new(Unescape(parts[0][CurrencyName.Length..]), Unescape(parts[1][MethodName.Length..]), Unescape(parts[2][StatusName.Length..])) : default;
        return good;
    }

    private static string Escape(string value) => value.AsSpan().IndexOfAny('%', ',', '=') < 0 ? value : value.Replace("%", "%25").Replace(",", "%2C").Replace("=", "%3D");

    private static string Unescape(string value) => value.Contains('%') ? value.Replace("%3D", "=").Replace("%2C", ",").Replace("%25", "%") : value;
}

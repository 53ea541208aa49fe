using System.Globalization;

namespace PaymentPlatform.Query;

/// <summary>Decimal texts as the contract writes them: every digit that counts, and no zero after the last one.</summary>
public static class ExactNumbers
{
    public static string Format(decimal value) => Trim(value.ToString(CultureInfo.InvariantCulture));

    /// <param name="text">Digits with an optional sign and point, as PostgreSQL writes a numeric.</param>
    public static string Trim(string text) => text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;
}

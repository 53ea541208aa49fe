using System.Globalization;

namespace PaymentPlatform.Query;

/// <summary>Decimal texts as the contract writes them: every digit that counts, and no zero after the last one.</summary>
public static class ExactNumbers
{
    public static string Format(decimal value) => Trim(value.ToString(CultureInfo.InvariantCulture));

    /// <param name="text">Digits with an optional sign and point, as PostgreSQL writes a numeric.</param>
    public static string Trim(string text) => text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;

    /// <summary>How much more or less it became, as a share of what it was: 0.25 is a quarter more. Six decimals; null where there is nothing to compare with.</summary>
    public static ExactNumber? Change(ExactNumber? before, ExactNumber? now)
    {
        if (before is not { } old || now is not { } current)
            return null;
        var from = double.Parse(old.Digits, CultureInfo.InvariantCulture);
        var change = (double.Parse(current.Digits, CultureInfo.InvariantCulture) - from) / Math.Abs(from);
        return double.IsFinite(change) ? new((Math.Round(change, 6) + 0.0).ToString("0.######", CultureInfo.InvariantCulture)) : null;
    }
}

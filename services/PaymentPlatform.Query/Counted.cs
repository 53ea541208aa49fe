using System.Globalization;

namespace PaymentPlatform.Query;

/// <summary>A number with its noun.</summary>
public static class Counted
{
    /// <param name="noun">Of one; more of them end in s.</param>
    public static string Of(long count, string noun) => string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}

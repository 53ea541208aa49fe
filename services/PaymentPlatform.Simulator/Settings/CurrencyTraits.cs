using System.Text;
using PaymentPlatform.Events;

namespace PaymentPlatform.Simulator;

/// <summary>A currency's minor digits, and how many of it about make a US dollar.</summary>
internal static class CurrencyTraits
{
    private static readonly HashSet<string> WithoutDecimals =
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];

    private static readonly HashSet<string> WithThreeDecimals = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

    // Thresholds are round sums: the euro and the pound count as a dollar each, as the thresholds of 10,000 do.
    private static readonly Dictionary<string, double> Dollars = new()
    {
        ["JPY"] = 150, ["CAD"] = 1.4, ["AUD"] = 1.5, ["NZD"] = 1.7, ["SGD"] = 1.3, ["CNY"] = 7, ["HKD"] = 8, ["INR"] = 85, ["KRW"] = 1_400, ["MXN"] = 18, ["BRL"] = 5.5,
        ["SEK"] = 10, ["NOK"] = 10, ["DKK"] = 7, ["PLN"] = 4, ["CZK"] = 23, ["HUF"] = 370, ["TRY"] = 35, ["ZAR"] = 18, ["AED"] = 3.7, ["SAR"] = 3.75, ["THB"] = 34,
        ["BHD"] = 0.4, ["KWD"] = 0.3, ["OMR"] = 0.4, ["JOD"] = 0.7,
    };

    public static int Digits(string code) => WithoutDecimals.Contains(code) ? 0 : WithThreeDecimals.Contains(code) ? 3 : 2;

    public static double Scale(string code) => Dollars.GetValueOrDefault(code, 1);

    /// <summary>The parser is who knows the codes.</summary>
    public static string? FaultOf(string code)
    {
        var probe = $$"""{"transaction_id":"x","transaction_timestamp":"2025-12-01T00:00:00Z","amount":1,"currency":"{{JsonEncoded(code)}}","payment_method":"x","payment_status":"completed"}""";
        return new TransactionParser(new()).Parse(Encoding.UTF8.GetBytes(probe), long.MaxValue / 2).IsValid ? null : "is not a currency: three capital letters (ISO 4217).";
    }

    private static string JsonEncoded(string text) => System.Text.Json.JsonEncodedText.Encode(text).ToString();
}

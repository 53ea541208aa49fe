namespace PaymentPlatform.Events;

/// <summary>
/// ISO 4217's active codes, funds and metals included. XXX (no currency) and XTS (tests) can't price a payment and are left out;
/// ANG (until 2025) and BGN (until 2026) stay, because late events and replays carry them.
/// </summary>
public static class Currencies
{
    private const string Codes =
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP " +
        "CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD " +
        "IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV " +
        "MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN " +
        "SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD " +
        "XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG";

    private static readonly string[] s_withoutDecimals =
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XOF", "XPD", "XPF", "XPT", "XSU", "XUA"];

    private static readonly string[] s_withThreeDecimals = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
    private static readonly string[] s_withFourDecimals = ["CLF", "UYW"];

    private static readonly bool[] Active = Build();

    /// <param name="code">In upper case.</param>
    public static bool IsActive(ReadOnlySpan<byte> code) => code.Length == 3 && Index(code[0], code[1], code[2]) is var i and >= 0 && Active[i];

    /// <inheritdoc cref="IsActive(ReadOnlySpan{byte})"/>
    public static bool IsActive(string code) => code.Length == 3 && Index(code[0], code[1], code[2]) is var i and >= 0 && Active[i];

    /// <summary>Decimals that amounts in the currency are written with; 0 as well for what has no minor unit or is no currency.</summary>
    public static int MinorDigits(string code) =>
        !IsActive(code) || s_withoutDecimals.Contains(code) ? 0 : s_withThreeDecimals.Contains(code) ? 3 : s_withFourDecimals.Contains(code) ? 4 : 2;

    private static int Index(int a, int b, int c)
    {
        (a, b, c) = (a - 'A', b - 'A', c - 'A');
        return (uint)a < 26 && (uint)b < 26 && (uint)c < 26 ? (a * 26 + b) * 26 + c : -1;
    }

    private static bool[] Build()
    {
        var active = new bool[26 * 26 * 26];
        foreach (var code in Codes.Split(' '))
            active[Index(code[0], code[1], code[2])] = true;
        return active;
    }
}

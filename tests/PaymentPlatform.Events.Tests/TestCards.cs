using System.Text;

namespace PaymentPlatform.Events.Tests;

/// <summary>The public test numbers of the brands, an independent check digit, and the ways in which people write numbers.</summary>
internal static class TestCards
{
    public static readonly string[] Numbers =
    [
        "4111111111111111", "4012888888881881", "4222222222222", "4000000000000000006", // Visa
        "5555555555554444", "5105105105105100", "2223003122003222", "2720992593319364", // Mastercard
        "378282246310005", "371449635398431", "341111111111111", // American Express
        "6011111111111117", "6011000990139424", "6510000000000000", "6445644564456445", // Discover
        "3530111333300000", "3566002020360505", // JCB
        "30569309025904", "38520000023237", "36006666333344", // Diners Club
        "6200000000000005", "6205500000000000004", // UnionPay
        "6759649826438453", "5018000000000009", "6304000000000000", // Maestro
    ];

    public static bool PassesLuhn(string digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var value = digits[digits.Length - 1 - i] - '0';
            sum += i % 2 == 0 ? value : value * 2 / 10 + value * 2 % 10;
        }

        return sum % 10 == 0;
    }

    public static string Masked(string number) => $"{number[..6]}{new string('*', number.Length - 10)}{number[^4..]}";

    /// <summary>In groups of four.</summary>
    public static string Grouped(string number, char separator) => string.Join(separator, number.Chunk(4).Select(group => new string(group)));

    public static string Escaped(string text) => string.Concat(text.Select(c => $"\\u{(int)c:x4}"));

    /// <summary>Everything that is a digit, in order, with JSON's escapes undone.</summary>
    public static string DigitsOf(ReadOnlyMemory<byte> payload)
    {
        var text = Encoding.Latin1.GetString(payload.Span);
        for (var digit = 0; digit <= 9; digit++)
            text = text.Replace($"\\u003{digit}", $"{digit}", StringComparison.OrdinalIgnoreCase);
        return string.Concat(text.Where(char.IsAsciiDigit));
    }
}

namespace PaymentPlatform.Events;

/// <summary>
/// The names of fields that hold what must never be stored after authorisation: card verification values, track data, PINs.
/// Case, <c>-</c>, <c>_</c>, <c>.</c> and spaces don't count. <c>cvv_provided</c> and <c>card_last4</c> are other names, and so is <c>pin_code</c>, a postal code.
/// </summary>
internal static class SecretFields
{
    private const int LongestSpelling = 48;

    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "cvv", "cvc", "cvv2", "cvc2", "cid", "csc", "cvn", "cvn2", "cvd", "cvd2", "cav", "cav2", "cvvcode", "cvccode", "csccode", "cvvnumber", "cvcnumber", "cvvvalue", "cvcvalue",
        "cardcvv", "cardcvc", "cardcvv2", "cardcvc2", "cardcsc", "cardcid", "securitycode", "cardsecuritycode", "cardsecuritynumber",
        "cardverificationvalue", "cardverificationvalue2", "cardverificationcode", "cardverificationcode2", "cardverificationnumber", "cardvalidationcode", "cardvalidationvalue",
        "track", "track1", "track2", "track3", "trackdata", "track1data", "track2data", "track3data", "trackone", "tracktwo", "track2equivalentdata", "track2equivalent",
        "magstripe", "magstripedata", "magstripetrack", "magneticstripe", "magneticstripedata", "magtrack", "swipedata",
        "pin", "pins", "pinblock", "pinblockdata", "pindata", "pinnumber", "pinvalue", "cardpin", "encryptedpin", "encryptedpinblock", "encpinblock", "clearpin",
    };

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> Lookup = Names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <param name="name">A field's name, unescaped.</param>
    public static bool IsSecret(ReadOnlySpan<byte> name)
    {
        if (name.Length is < 3 or > LongestSpelling || !MayStart(name))
            return false;

        Span<char> plain = stackalloc char[LongestSpelling];
        var length = 0;
        foreach (var b in name)
        {
            if (b is (byte)'_' or (byte)'-' or (byte)'.' or (byte)' ')
                continue;
            plain[length++] = (char)(b is >= (byte)'A' and <= (byte)'Z' ? b | 0x20 : b);
        }

        return Lookup.Contains(plain[..length]);
    }

    /// <summary>Spares most names the look-up.</summary>
    private static bool MayStart(ReadOnlySpan<byte> name) => (name[0] | 0x20) switch
    {
        'c' => !name.StartsWith("card_last"u8) && !name.StartsWith("card_brand"u8),
        't' or 'p' or 'm' or 's' or 'e' => true,
        _ => name[0] is (byte)'_' or (byte)'-' or (byte)'.' or (byte)' ',
    };
}

namespace PaymentPlatform.Events;

/// <summary>
/// The names of fields that hold what must never be stored after authorisation: card verification values, track data, PINs.
/// Case, <c>-</c>, <c>_</c>, <c>.</c> and spaces don't count. <c>cvv_provided</c> and <c>card_last4</c> are other names, and so is <c>pin_code</c>, a postal code.
/// </summary>
internal static class SecretFields
{
    private const int LongestSpelling = 48;
    private const int Separator = 26;
    private const int Symbols = 27;

    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "cvv", "cvc", "cvv2", "cvc2", "cid", "csc", "cvn", "cvn2", "cvd", "cvd2", "cav", "cav2", "cvvcode", "cvccode", "csccode", "cvvnumber", "cvcnumber", "cvvvalue", "cvcvalue",
        "cardcvv", "cardcvc", "cardcvv2", "cardcvc2", "cardcsc", "cardcid", "securitycode", "cardsecuritycode", "cardsecuritynumber",
        "cardverificationvalue", "cardverificationvalue2", "cardverificationcode", "cardverificationcode2", "cardverificationnumber", "cardvalidationcode", "cardvalidationvalue",
        "track", "track1", "track2", "track3", "trackdata", "track1data", "track2data", "track3data", "trackone", "tracktwo", "track2equivalentdata", "track2equivalent",
        "magstripe", "magstripedata", "magstripetrack", "magneticstripe", "magneticstripedata", "magtrack", "swipedata",
        "pin", "pins", "pinblock", "pinblockdata", "pindata", "pinnumber", "pinvalue", "cardpin", "encryptedpin", "encryptedpinblock", "encpinblock", "clearpin",
    };

    private static readonly bool[] Starts = AllStarts();

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
            if (IsSeparator(b))
                continue;
            plain[length++] = (char)(b is >= (byte)'A' and <= (byte)'Z' ? b | 0x20 : b);
        }

        return Lookup.Contains(plain[..length]);
    }

    /// <summary>Spares most names the look-up: no secret name begins as they do, or they are common ones that only begin like one.</summary>
    private static bool MayStart(ReadOnlySpan<byte> name)
    {
        var (a, b, c) = (Symbol(name[0]), Symbol(name[1]), Symbol(name[2]));
        return (a | b | c) >= 0 && Starts[Index(a, b, c)] && !name.StartsWith("card_last"u8) && !name.StartsWith("card_brand"u8) && !name.StartsWith("cvv_provided"u8);
    }

    /// <returns>A letter's number, <see cref="Separator"/>, or a negative number for anything else.</returns>
    private static int Symbol(byte b) => (b | 0x20) - 'a' is var letter && (uint)letter < Separator ? letter : IsSeparator(b) ? Separator : -1;

    private static int Index(int a, int b, int c) => (((a * Symbols) + b) * Symbols) + c;

    private static bool IsSeparator(byte b) => b is (byte)'_' or (byte)'-' or (byte)'.' or (byte)' ';

    /// <summary>The first three symbols of all names, in every way to put separators between them.</summary>
    private static bool[] AllStarts()
    {
        var starts = new bool[Symbols * Symbols * Symbols];
        foreach (var name in Names)
        {
            var (a, b) = (name[0] - 'a', name[1] - 'a');
            starts[Index(a, b, name[2] - 'a')] = starts[Index(a, b, Separator)] = true;
            starts.AsSpan(Index(a, Separator, 0), Symbols).Fill(true);
        }

        starts.AsSpan(Index(Separator, 0, 0)).Fill(true);
        return starts;
    }
}

namespace PaymentPlatform.Events;

/// <summary>Masks card data in text that may have escapes, byte for byte the same elsewhere.</summary>
internal static class TextMasker
{
    /// <summary>Masks the card numbers of one JSON string's content.</summary>
    /// <returns>The masked content, or null when there was nothing to mask.</returns>
    public static byte[]? MaskString(ReadOnlySpan<byte> raw) =>
        raw.Contains((byte)'\\') || CardNumbers.Contains(raw) ? Mask(raw, secrets: false) : null;

    /// <summary>Masks card numbers, and the values behind secret names, in bytes of any kind.</summary>
    /// <returns>The masked text, or null when there was nothing to mask.</returns>
    public static byte[]? MaskAnything(ReadOnlySpan<byte> raw) => Mask(raw, secrets: true);

    /// <summary>The unescaped ASCII of a name; other characters stand in as one byte each.</summary>
    public static byte[] Plain(ReadOnlySpan<byte> raw)
    {
        var (logical, _, length) = Decode(raw);
        return logical[..length];
    }

    private static byte[]? Mask(ReadOnlySpan<byte> raw, bool secrets)
    {
        var (logical, offsets, length) = Decode(raw);
        var masked = logical.AsSpan(0, length).ToArray();
        CardNumbers.Mask(masked);
        if (secrets)
            SecretPatterns.Mask(masked);
        if (masked.AsSpan().SequenceEqual(logical.AsSpan(0, length)))
            return null;

        var output = new byte[raw.Length];
        var written = 0;
        for (var i = 0; i < length; i++)
        {
            var original = raw[offsets[i]..offsets[i + 1]];
            if (masked[i] == logical[i])
            {
                original.CopyTo(output.AsSpan(written));
                written += original.Length;
            }
            else
            {
                output[written++] = masked[i];
            }
        }

        return output[..written];
    }

    private static (byte[] Logical, int[] Offsets, int Length) Decode(ReadOnlySpan<byte> raw)
    {
        var logical = new byte[raw.Length];
        var offsets = new int[raw.Length + 1];
        return (logical, offsets, JsonEscapes.Decode(raw, logical, offsets));
    }
}

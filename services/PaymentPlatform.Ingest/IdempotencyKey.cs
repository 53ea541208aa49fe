using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace PaymentPlatform.Ingest;

/// <summary>The <c>Idempotency-Key</c> header: plain, or quoted as a structured field's string.</summary>
internal static class IdempotencyKey
{
    public const string Header = "Idempotency-Key";

    public const int MaxLength = 255;

    /// <returns>False when the header is there but can't be used; <paramref name="key"/> is null when it is absent.</returns>
    public static bool TryParse(StringValues header, out string? key)
    {
        key = null;
        if (header.Count == 0)
            return true;
        if (header.Count > 1)
            return false;
        var value = header[0]?.Trim() ?? "";
        if (value.Length >= 2 && value[0] == '"' && value[^1] == '"')
        {
            var unquoted = Unquote(value.AsSpan(1, value.Length - 2));
            if (unquoted is null)
                return false;
            value = unquoted;
        }

        if (!IsPrintable(value))
            return false;
        key = value;
        return true;
    }

    /// <summary>1 to 255 printable ASCII characters.</summary>
    public static bool IsPrintable(string value) =>
        value.Length is > 0 and <= MaxLength && !value.AsSpan().ContainsAnyExceptInRange(' ', '~');

    /// <summary>The claim's key; prefixed, so that it never meets a CloudEvent's.</summary>
    public static string ClaimKey(string key) => "k:" + key;

    /// <summary>The claim's key for a CloudEvent; both texts are UTF-8.</summary>
    public static string ClaimKey(ReadOnlySpan<byte> source, ReadOnlySpan<byte> id)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(source);
        hash.AppendData("\n"u8);
        hash.AppendData(id);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return "ce:" + Convert.ToHexStringLower(digest);
    }

    /// <summary>The same for every try under the key (a UUID of version 8), so that a retry makes the same message ids.</summary>
    public static Guid RequestId(string key)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(ClaimKey(key)), digest);
        digest[6] = (byte)((digest[6] & 0x0F) | 0x80);
        digest[8] = (byte)((digest[8] & 0x3F) | 0x80);
        return new(digest[..16], bigEndian: true);
    }

    private static string? Unquote(ReadOnlySpan<char> inner)
    {
        var text = new StringBuilder(inner.Length);
        for (var i = 0; i < inner.Length; i++)
        {
            if (inner[i] == '"')
                return null;
            if (inner[i] == '\\' && (++i == inner.Length || inner[i] is not ('"' or '\\')))
                return null;
            text.Append(inner[i]);
        }

        return text.ToString();
    }
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace PaymentPlatform.Query;

/// <summary>A place in a list, and a hash of the question that the list answers: under another question the place means something else. Those of earlier versions have no hash and are taken as they are.</summary>
internal static class BoundCursor
{
    public const string OfAnother = "It belongs to another question. Give the same parameters as for the page before; only 'limit' may differ.";

    private const int HashBytes = 9;

    /// <param name="place">Without a point in it.</param>
    public static string Bind(string place, string question) => $"{place}.{Hash(question)}";

    /// <returns>The place; null when the cursor is bound to another question.</returns>
    public static string? Open(string cursor, string question)
    {
        var point = cursor.LastIndexOf('.');
        if (point < 0)
            return cursor;
        return cursor[(point + 1)..] == Hash(question) ? cursor[..point] : null;
    }

    private static string Hash(string question) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(question)).AsSpan(0, HashBytes));
}

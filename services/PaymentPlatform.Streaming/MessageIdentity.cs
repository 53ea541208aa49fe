using System.Text;
using System.Text.Unicode;

namespace PaymentPlatform.Streaming;

/// <summary>What a repeat of an event has in common with it: the idempotency key of its request, with the moment of the first attempt under it, and its place there.</summary>
/// <param name="Key">UTF-8; empty when the event came without a key.</param>
/// <param name="Index">Zero-based index among the request's events.</param>
public readonly record struct MessageIdentity(ReadOnlyMemory<byte> Key, long Index)
{
    /// <summary>In characters. A longer one could not be indexed by the database.</summary>
    public const int MaxKeyLength = 300;

    /// <summary>What an event brings along, where another producer may have put anything.</summary>
    /// <returns>None unless it can be one of ours.</returns>
    public static MessageIdentity Read(ReadOnlyMemory<byte> key, long index) =>
        index >= 0 && !key.Span.Contains((byte)0) && Utf8.IsValid(key.Span) && Encoding.UTF8.GetCharCount(key.Span) is > 0 and <= MaxKeyLength ? new(key, index) : default;
}

namespace PaymentPlatform.Streaming;

/// <summary>
/// "Take these messages once under this key." The claim commits with the messages it covers; where the key and chunk are taken already, its messages are left out.
/// </summary>
/// <param name="Key">At most 280 characters.</param>
/// <param name="Chunk">Zero-based part of the request.</param>
/// <param name="BodyHash">SHA-256 of the request's bytes up to the end of this chunk.</param>
/// <param name="Outcome">What to remember for a repeat; opaque here.</param>
/// <param name="FirstMessage">Index of the first covered message in the publish call.</param>
/// <param name="MessageCount">How many it covers; 0 for a chunk of which nothing was accepted.</param>
/// <param name="FirstIndex">Index of the chunk's first event among those of the request.</param>
/// <param name="Orders">Place in the chunk of each covered message, the same in every repeat; empty where that is 0, 1, 2 …</param>
public sealed record IdempotencyClaim(
    string Key, int Chunk, ReadOnlyMemory<byte> BodyHash, ReadOnlyMemory<byte> Outcome, int FirstMessage, int MessageCount, long FirstIndex = 0, ReadOnlyMemory<int> Orders = default)
{
    /// <summary>Index among the request's events of the covered message at this place.</summary>
    public long IndexOf(int covered) => FirstIndex + (Orders.IsEmpty ? covered : Orders.Span[covered]);
}

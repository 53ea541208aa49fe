namespace PaymentPlatform.Streaming;

/// <summary>
/// "Take these messages once under this key." The claim commits with the messages it covers; where the key and chunk are taken already, its messages are left out.
/// </summary>
/// <param name="Key">At most 300 characters.</param>
/// <param name="Chunk">Zero-based part of the request.</param>
/// <param name="BodyHash">SHA-256 of the request's bytes up to the end of this chunk.</param>
/// <param name="Outcome">What to remember for a repeat; opaque here.</param>
/// <param name="FirstMessage">Index of the first covered message in the publish call.</param>
/// <param name="MessageCount">How many it covers; 0 for a chunk of which nothing was accepted.</param>
public sealed record IdempotencyClaim(
    string Key, int Chunk, ReadOnlyMemory<byte> BodyHash, ReadOnlyMemory<byte> Outcome, int FirstMessage, int MessageCount);

namespace PaymentPlatform.Query.Replay;

/// <summary>The replay can't go on, and would not if it were tried again; the message is for the person who asked for it.</summary>
internal sealed class ReplayFailedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether it can go on once something was mended.</summary>
    public bool IsMendable { get; init; } = true;
}

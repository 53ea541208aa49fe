namespace PaymentPlatform.Streaming;

/// <summary>Events that were asked for once more are no longer in the stream.</summary>
public sealed class StreamRangeGoneException(string message) : Exception(message);

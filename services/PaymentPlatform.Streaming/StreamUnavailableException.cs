namespace PaymentPlatform.Streaming;

/// <summary>The stream can't take messages now. Transient: the same call may succeed later.</summary>
public sealed class StreamUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

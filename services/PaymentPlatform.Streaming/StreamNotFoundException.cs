namespace PaymentPlatform.Streaming;

/// <summary>There is no such stream. It stays so until somebody makes it; the message says where it was looked for.</summary>
public sealed class StreamNotFoundException(string message, Exception? inner = null) : Exception(message, inner);

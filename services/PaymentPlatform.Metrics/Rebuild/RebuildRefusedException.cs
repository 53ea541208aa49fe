namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>The range can't be computed; the message is for the person who asked for it.</summary>
internal sealed class RebuildRefusedException(string message, Exception? inner = null) : Exception(message, inner);

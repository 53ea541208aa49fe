namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>The rebuild was cancelled, or another process has begun it anew.</summary>
internal sealed class RebuildStoppedException() : Exception("The rebuild was stopped.");

namespace PaymentPlatform.Query.Lifecycle;

/// <summary>A live file that was asked back from the archive tier.</summary>
/// <param name="Tier">As the store says: hot, cool, cold or archive; null when it has no such blob.</param>
/// <param name="State">requested, rehydrating, readable or missing.</param>
public sealed record RehydrationItem(string BlobName, long ByteSize, DateTime RequestedAt, string? Tier, string State);

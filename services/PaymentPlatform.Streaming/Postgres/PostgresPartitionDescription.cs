namespace PaymentPlatform.Streaming.Postgres;

/// <summary>One partition's offsets [<paramref name="FirstOffset"/>, <paramref name="EndOffset"/>) and size.</summary>
/// <param name="StoredBytes">Sum of its record batches, compressed.</param>
public sealed record PostgresPartitionDescription(int PartitionId, long FirstOffset, long EndOffset, long StoredBytes);

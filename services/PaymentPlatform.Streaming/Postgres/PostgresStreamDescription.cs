namespace PaymentPlatform.Streaming.Postgres;

/// <summary>A stream in PostgreSQL.</summary>
/// <param name="Partitions">By partition id.</param>
public sealed record PostgresStreamDescription(string Stream, string LogId, IReadOnlyList<PostgresPartitionDescription> Partitions);

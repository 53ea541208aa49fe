namespace PaymentPlatform.Storage.Archive;

/// <summary>What the manifest says about a file's contents when it becomes live.</summary>
public sealed record ManifestEntry
{
    public required Guid FileId { get; init; }

    public required string BlobName { get; init; }

    /// <summary>Microseconds since the Unix epoch: when the file was written. The <c>archived_at</c> of its rows, unless they were archived in other files before.</summary>
    public required long ArchivedAtMicros { get; init; }

    public required long RowCount { get; init; }

    public required long ValidCount { get; init; }

    public required long ByteSize { get; init; }

    public required byte[] Sha256 { get; init; }

    /// <summary>Microseconds since the Unix epoch; null when no event in it has a readable transaction time.</summary>
    public required long? MinTransactionTimestampMicros { get; init; }

    public required long? MaxTransactionTimestampMicros { get; init; }

    public required long? MinEnqueuedAtMicros { get; init; }

    public required long? MaxEnqueuedAtMicros { get; init; }

    public required int SchemaVersion { get; init; }

    /// <summary>A file's entry from the buffer that it was made of.</summary>
    public static ManifestEntry Create(Guid fileId, string blobName, long archivedAtMicros, RawEventBuffer buffer, ParquetFile file) => new()
    {
        FileId = fileId,
        BlobName = blobName,
        ArchivedAtMicros = archivedAtMicros,
        RowCount = buffer.RowCount,
        ValidCount = buffer.ValidCount,
        ByteSize = file.Length,
        Sha256 = file.Sha256,
        MinTransactionTimestampMicros = buffer.MinTransactionTimestampMicros,
        MaxTransactionTimestampMicros = buffer.MaxTransactionTimestampMicros,
        MinEnqueuedAtMicros = buffer.MinEnqueuedAtMicros,
        MaxEnqueuedAtMicros = buffer.MaxEnqueuedAtMicros,
        SchemaVersion = ParquetSerializer.SchemaVersion,
    };
}

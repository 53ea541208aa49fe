namespace PaymentPlatform.Storage.Archive.Parquet;

/// <param name="Offset">Where the row group starts in the file.</param>
/// <param name="Chunks">In the schema's order.</param>
internal sealed record FooterRowGroup(long Offset, int Rows, IReadOnlyList<ColumnChunk> Chunks);

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>
/// A row group that is encoded and compressed; only its archived_at, which is known when the file is written, is missing, unless each row brought its own.
/// Shared between the buffer and the files made from it: the last one to release it gives the memory back.
/// </summary>
internal sealed class SealedRowGroup(int rows, long offsetSum, PooledSegments content, ColumnChunk[] chunks, ColumnChunk? archivedAt)
{
    private int _references = 1;

    public int Rows { get; } = rows;

    /// <summary>All stream offsets added up (wrapping), for the check of the finished file.</summary>
    public long OffsetSum { get; } = offsetSum;

    public PooledSegments Content { get; } = content;

    public IReadOnlyList<ColumnChunk> Chunks { get; } = chunks;

    /// <summary>The rows' own; null where it is the file's.</summary>
    public ColumnChunk? ArchivedAt { get; } = archivedAt;

    public SealedRowGroup Retain()
    {
        Interlocked.Increment(ref _references);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
            Content.Dispose();
    }
}

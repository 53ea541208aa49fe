namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>
/// A row group that is encoded and compressed; only its archived_at, which is known when the file is written, is missing.
/// Shared between the buffer and the files made from it: the last one to release it gives the memory back.
/// </summary>
internal sealed class SealedRowGroup(int rows, long offsetSum, PooledSegments content, ColumnChunk[] chunks)
{
    private int _references = 1;

    public int Rows { get; } = rows;

    /// <summary>All stream offsets added up (wrapping), for the check of the finished file.</summary>
    public long OffsetSum { get; } = offsetSum;

    public PooledSegments Content { get; } = content;

    public IReadOnlyList<ColumnChunk> Chunks { get; } = chunks;

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

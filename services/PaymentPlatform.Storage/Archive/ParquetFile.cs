using System.Buffers;
using System.Security.Cryptography;
using PaymentPlatform.Storage.Archive.Parquet;

namespace PaymentPlatform.Storage.Archive;

/// <summary>A finished Parquet file in memory. Independent of the buffer it was made from; disposing it gives the memory back.</summary>
public sealed class ParquetFile : IDisposable
{
    private readonly ExpectedRowGroup[] _expected;
    private SealedRowGroup[] _groups;

    internal ParquetFile(IReadOnlyList<ReadOnlyMemory<byte>> content, IReadOnlyList<SealedRowGroup> groups, ExpectedRowGroup[] expected)
    {
        Content = MemorySegment.Sequence(content);
        Length = Content.Length;
        _groups = [.. groups.Select(g => g.Retain())];
        _expected = expected;
        RowCount = expected.Sum(g => g.Rows);
        Sha256 = Hash();
    }

    /// <summary>All bytes, until the file is disposed.</summary>
    public ReadOnlySequence<byte> Content { get; private set; }

    /// <summary>In bytes.</summary>
    public long Length { get; }

    /// <summary>Of <see cref="Content"/>, 32 bytes.</summary>
    public byte[] Sha256 { get; }

    public int RowCount { get; }

    internal ReadOnlySpan<ExpectedRowGroup> Expected => _expected;

    /// <summary>A new read-only, seekable stream over <see cref="Content"/>.</summary>
    public Stream OpenRead() => new SequenceStream(Content);

    public void Dispose()
    {
        Content = default;
        foreach (var group in _groups)
            group.Release();
        _groups = [];
    }

    /// <summary>The content's hash as the memory is now.</summary>
    internal byte[] Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var memory in Content)
            hash.AppendData(memory.Span);
        return hash.GetHashAndReset();
    }
}

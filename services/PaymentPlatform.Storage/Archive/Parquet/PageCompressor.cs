using ZstdSharp;
using ZstdSharp.Unsafe;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>
/// zstd level 1 with a hash table of 2^13 entries (32 KiB), which stays in the first cache, and matches of at least 7 bytes:
/// about as small as plain level 1 on our payloads, and faster (docs/adr/0003-own-parquet-encoder.md). Not thread-safe.
/// </summary>
internal sealed class PageCompressor : IDisposable
{
    private const int Level = 1;
    private const int HashLog = 13;
    private const int MinMatch = 7;

    private readonly Compressor _compressor = new(Level);
    private byte[] _output = new byte[Compressor.GetCompressBound(ColumnBuilder.PageBytes + 4096)];

    public PageCompressor()
    {
        _compressor.SetParameter(ZSTD_cParameter.ZSTD_c_hashLog, HashLog);
        _compressor.SetParameter(ZSTD_cParameter.ZSTD_c_minMatch, MinMatch);
    }

    /// <returns>The compressed bytes: valid until the next call.</returns>
    public ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> page)
    {
        var bound = Compressor.GetCompressBound(page.Length);
        if (_output.Length < bound)
            _output = new byte[bound];
        return _output.AsSpan(0, _compressor.Wrap(page, _output));
    }

    /// <summary>Gives back what one very large page needed.</summary>
    public void Trim()
    {
        if (_output.Length > 4 * ColumnBuilder.PageBytes)
            _output = new byte[Compressor.GetCompressBound(ColumnBuilder.PageBytes + 4096)];
    }

    public void Dispose() => _compressor.Dispose();
}

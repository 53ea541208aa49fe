using System.Security.Cryptography;
using System.Text;

namespace PaymentPlatform.Ingest;

/// <summary>The running SHA-256 of a request under an Idempotency-Key: its media type and its bytes so far. Does nothing without a key.</summary>
internal sealed class BodyHash : IDisposable
{
    private readonly IncrementalHash? _hash;

    public BodyHash(RequestInfo request)
    {
        if (request.IdempotencyKey is null)
            return;
        _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _hash.AppendData(Encoding.ASCII.GetBytes(MediaTypes.Name(request.Format) + "\n"));
    }

    public void Append(ReadOnlySpan<byte> bytes) => _hash?.AppendData(bytes);

    /// <summary>Of the bytes up to here, and of whether the body ends here; null without a key.</summary>
    public byte[]? Current(bool isLast)
    {
        if (_hash is null)
            return null;
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes + 1];
        _hash.GetCurrentHash(digest);
        digest[^1] = isLast ? (byte)1 : (byte)0;
        return SHA256.HashData(digest);
    }

    public void Dispose() => _hash?.Dispose();
}

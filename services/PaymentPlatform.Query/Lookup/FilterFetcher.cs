using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs.Models;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Query.Lookup;

/// <summary>Reads a file's filters from the end of its blob: one request in most cases.</summary>
internal sealed class FilterFetcher(HybridConnectionManager connections, QueryTelemetry telemetry)
{
    /// <returns>Null: the file has none.</returns>
    /// <exception cref="InvalidDataException">The blob is not what the manifest says, as far as its end tells.</exception>
    /// <exception cref="RequestFailedException">The blob can't be read.</exception>
    public async Task<TransactionIdFilters?> FetchAsync(ArchiveFile file, CancellationToken cancellationToken)
    {
        for (var wanted = TransactionIdFilters.EstimateBytes(file.Rows, file.Bytes); ;)
        {
            var tail = await FetchTailAsync(file, wanted, cancellationToken);
            var filters = TransactionIdFilters.Read(tail, file.Bytes, file.Rows, out var needed);
            if (filters is not null || needed <= wanted)
                return filters;
            wanted = needed;
        }
    }

    private async Task<byte[]> FetchTailAsync(ArchiveFile file, long bytes, CancellationToken cancellationToken)
    {
        var options = new BlobDownloadOptions { Range = new(file.Bytes - bytes, bytes) };
        using var blob = (await connections.RawEvents.GetBlobClient(file.BlobName).DownloadStreamingAsync(options, cancellationToken)).Value;
        // "bytes 10-19/20"
        var range = blob.Details.ContentRange;
        if (range is not null && !range.EndsWith($"/{file.Bytes}", StringComparison.Ordinal))
            throw new InvalidDataException($"The blob's size is not {file.Bytes} bytes.");
        if (blob.Details.Metadata.TryGetValue(ArchiveBlobs.ChecksumKey, out var sha256) && sha256 != file.Sha256)
            throw new InvalidDataException("The blob was written with another checksum.");
        var tail = new byte[bytes];
        await blob.Content.ReadExactlyAsync(tail, cancellationToken);
        telemetry.Downloaded(bytes);
        if (bytes == file.Bytes && Convert.ToHexStringLower(SHA256.HashData(tail)) != file.Sha256)
            throw new InvalidDataException("The blob's bytes are not those of the manifest.");
        return tail;
    }
}

using System.Security.Cryptography;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace PaymentPlatform.Storage.Archive;

/// <summary>The archive's blobs: made once under a new name, never overwritten.</summary>
public sealed class ArchiveBlobs(BlobContainerClient container)
{
    /// <summary>The blob metadata that holds the SHA-256 of its bytes, in lower case hex.</summary>
    public const string ChecksumKey = "sha256";

    /// <summary>Makes the container when it is missing. One that is there needs no right to make it.</summary>
    public async Task EnsureContainerAsync(CancellationToken cancellationToken)
    {
        if (!await container.ExistsAsync(cancellationToken))
            await container.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
    }

    /// <summary>
    /// Writes a blob that must not exist yet, in one request, so that it is there whole or not at all. A blob of that name with the same length and checksum counts as written:
    /// it comes from an attempt whose answer was lost.
    /// </summary>
    /// <param name="content">Seekable; read from its beginning.</param>
    /// <returns>False when something else has that name.</returns>
    /// <exception cref="RequestFailedException">The store can't take it now; the same call may succeed later.</exception>
    public async Task<bool> CreateAsync(string blobName, Stream content, byte[] sha256, CancellationToken cancellationToken)
    {
        content.Position = 0;
        var checksum = Convert.ToHexStringLower(sha256);
        var options = new BlobUploadOptions
        {
            Conditions = new() { IfNoneMatch = ETag.All },
            HttpHeaders = new() { ContentType = "application/vnd.apache.parquet" },
            Metadata = new Dictionary<string, string> { [ChecksumKey] = checksum },
            TransferOptions = new() { InitialTransferSize = long.MaxValue, MaximumConcurrency = 1 },
            // The server refuses bytes that were damaged on the way.
            TransferValidation = new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 },
        };
        var blob = container.GetBlobClient(blobName);
        try
        {
            await blob.UploadAsync(content, options, cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412 && (e.ErrorCode == BlobErrorCode.BlobAlreadyExists || e.ErrorCode == BlobErrorCode.ConditionNotMet))
        {
            BlobProperties found = await blob.GetPropertiesAsync(cancellationToken: cancellationToken);
            return found.ContentLength == content.Length && found.Metadata.TryGetValue(ChecksumKey, out var stored) && stored == checksum;
        }
    }

    /// <summary>Copies a blob to a local file that must not exist yet.</summary>
    /// <returns>False when its bytes are not those of the length and checksum.</returns>
    /// <exception cref="RequestFailedException">404: there is no such blob; 409: it is in the archive tier; else the store does not give it now.</exception>
    public async Task<bool> FetchAsync(string blobName, string path, long length, byte[] sha256, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var response = await container.GetBlobClient(blobName).DownloadStreamingAsync(cancellationToken: cancellationToken);
        using var blob = response.Value;
        await using var target = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var buffer = GC.AllocateUninitializedArray<byte>(128 << 10);
        // No more of a blob that is too long than tells it.
        var copied = 0L;
        int read;
        while (copied <= length && (read = await blob.Content.ReadAsync(buffer, cancellationToken)) > 0)
        {
            hash.AppendData(buffer.AsSpan(0, read));
            await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            copied += read;
        }

        return copied == length && hash.GetHashAndReset().AsSpan().SequenceEqual(sha256);
    }

    /// <returns>The blob's size in bytes; null when there is none.</returns>
    public async Task<long?> FindLengthAsync(string blobName, CancellationToken cancellationToken)
    {
        try
        {
            BlobProperties properties = await container.GetBlobClient(blobName).GetPropertiesAsync(cancellationToken: cancellationToken);
            return properties.ContentLength;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <returns>The blob's tier (<c>hot</c>, <c>cool</c>, <c>cold</c>, <c>archive</c>) and whether it is on its way out of the archive tier; null when there is no such blob.</returns>
    public async Task<(string Tier, bool IsRehydrating)?> FindTierAsync(string blobName, CancellationToken cancellationToken)
    {
        try
        {
            BlobProperties properties = await container.GetBlobClient(blobName).GetPropertiesAsync(cancellationToken: cancellationToken);
            return (properties.AccessTier?.ToLowerInvariant() ?? "hot", properties.ArchiveStatus is not null);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Moves a blob to a tier. Out of the archive tier that takes hours; the call only begins it.</summary>
    /// <param name="tier"><c>hot</c>, <c>cool</c>, <c>cold</c> or <c>archive</c>.</param>
    public Task SetTierAsync(string blobName, string tier, CancellationToken cancellationToken) =>
        container.GetBlobClient(blobName).SetAccessTierAsync(new AccessTier(char.ToUpperInvariant(tier[0]) + tier[1..]), cancellationToken: cancellationToken);

    /// <summary>Deletes a blob; a missing one is fine.</summary>
    public Task DeleteIfExistsAsync(string blobName, CancellationToken cancellationToken) =>
        container.GetBlobClient(blobName).DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellationToken);

    /// <summary>The blobs of a folder and their sizes in bytes.</summary>
    /// <param name="prefix">A folder with its slash.</param>
    public async Task<IReadOnlyDictionary<string, long>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var blobs = new Dictionary<string, long>(StringComparer.Ordinal);
        await foreach (var blob in container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken))
            blobs[blob.Name] = blob.Properties.ContentLength ?? 0;
        return blobs;
    }
}

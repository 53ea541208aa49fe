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

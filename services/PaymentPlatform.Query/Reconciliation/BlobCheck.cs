using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Options;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>
/// The manifest against the blobs, a page of the listing after the other. Archiving goes on meanwhile: what looks wrong is looked at again, the blob first and then its row, before it is reported.
/// A row comes before its blob and leaves 'live' before its blob goes, so that what is wrong then is wrong.
/// </summary>
internal sealed class BlobCheck(HybridConnectionManager connections, BlobManifest manifest, IOptions<QueryOptions> options)
{
    private const int PageSize = 5_000;
    private const string InArchiveTier = "It is in the archive tier. Rehydrate it first; that takes hours.";

    public async Task RunAsync(ReconciliationRun run, CancellationToken cancellationToken)
    {
        var after = "";
        await foreach (var page in ListAsync(cancellationToken))
        {
            run.CountBlobs(page.Count);
            var upTo = page.Keys.Append(after).Max(StringComparer.Ordinal)!;
            await CompareAsync(run, page, after, upTo, cancellationToken);
            after = upTo;
            run.SayBlobs();
        }

        await CompareAsync(run, [], after, null, cancellationToken);
        if (run.Request.Depth == ReconciliationDepth.Sample)
            await ReadAsync(run, await manifest.ListOldestAsync(options.Value.ReconciliationFiles, options.Value.ReconciliationBytes, run.Request, cancellationToken), cancellationToken);
        run.SayBlobs();
    }

    /// <summary>Looks at one live file's bytes and reports what is wrong with them.</summary>
    public async Task<BlobState> InspectAsync(ReconciliationRun run, string blobName, CancellationToken cancellationToken) =>
        await manifest.FindAsync([blobName], run.Request, cancellationToken) is [{ State: ManifestState.Live } row] ? await ReadAsync(run, row, cancellationToken) : BlobState.NotLive;

    private async IAsyncEnumerable<Dictionary<string, BlobItem>> ListAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var pages = connections.RawEvents.GetBlobsAsync(new GetBlobsOptions(), cancellationToken).AsPages(pageSizeHint: PageSize).GetAsyncEnumerator(cancellationToken);
        while (await NextAsync())
            yield return pages.Current.Values.ToDictionary(b => b.Name, StringComparer.Ordinal);

        async ValueTask<bool> NextAsync()
        {
            try
            {
                return await pages.MoveNextAsync();
            }
            catch (RequestFailedException exception) when (exception.ErrorCode == BlobErrorCode.ContainerNotFound)
            {
                // Then every blob is missing.
                return false;
            }
        }
    }

    private async Task CompareAsync(ReconciliationRun run, Dictionary<string, BlobItem> blobs, string after, string? upTo, CancellationToken cancellationToken)
    {
        await foreach (var rows in manifest.ListLiveAsync(after, upTo, run.Request, cancellationToken))
        {
            var sound = new List<ManifestRow>(rows.Count);
            var archived = 0;
            var suspects = new List<ManifestRow>();
            foreach (var row in rows)
            {
                run.CountFile(row.Bytes);
                if (!blobs.Remove(row.BlobName, out var blob) || blob.Properties.ContentLength != row.Bytes)
                    suspects.Add(row);
                else if (blob.Properties.AccessTier == AccessTier.Archive)
                {
                    archived++;
                    if (row.IsOfRange)
                        run.PutOutOfReach(row.BlobName, InArchiveTier);
                }
                else
                    sound.Add(row);
            }

            await Parallel.ForEachAsync(suspects, Parallelism(cancellationToken), async (row, token) =>
            {
                if (await ResolveAsync(run, row, token))
                {
                    lock (sound)
                        sound.Add(row);
                }
            });
            if (run.Request.Depth != ReconciliationDepth.Full)
                continue;
            if (archived > 0)
                run.Skip("contents", Counted.Of(archived, "file"), "In the archive tier: names and sizes are compared.");
            await ReadAsync(run, sound.Where(row => IsWanted(run.Request, row)), cancellationToken);
        }

        await LookUpAsync(run, blobs, cancellationToken);
    }

    private static bool IsWanted(ReconciliationRequest request, ManifestRow row) =>
        (!request.ContentsOfRange || row.IsOfRange) && !(request.NotVerifiedSince is { } since && row.VerifiedAt > since.UtcDateTime);

    /// <summary>A live row that the listing had no blob for, or one of another size.</summary>
    /// <returns>True when there is one of the right size by now.</returns>
    private async Task<bool> ResolveAsync(ReconciliationRun run, ManifestRow row, CancellationToken cancellationToken)
    {
        var bytes = await SizeAsync(row.BlobName, cancellationToken);
        if (bytes == row.Bytes)
            return true;
        if (!await IsLiveAsync(run, row, cancellationToken))
            return false;
        if (bytes is null)
            ReportMissing(run, row);
        else
            run.Find(FindingKind.BlobSize, row.BlobName, $"{row.Bytes} bytes", $"{bytes} bytes", "The blob of a live file has another size than the manifest says.", null, row.FileId);
        return false;
    }

    /// <summary>Blobs that no live row names.</summary>
    private async Task LookUpAsync(ReconciliationRun run, Dictionary<string, BlobItem> blobs, CancellationToken cancellationToken)
    {
        if (blobs.Count == 0)
            return;
        var rows = (await manifest.FindAsync(blobs.Keys, run.Request, cancellationToken)).ToDictionary(r => r.BlobName, StringComparer.Ordinal);
        foreach (var blob in blobs.Values)
        {
            var row = rows.GetValueOrDefault(blob.Name);
            switch (row?.State)
            {
                case ManifestState.Lost:
                    run.Find(
                        FindingKind.BlobKept, blob.Name, null, $"{blob.Properties.ContentLength} bytes", "A damaged blob, whose events were written again to another file. It is kept as evidence.",
                        "Delete the blob once nobody needs it.");
                    break;
                case null:
                case ManifestState.Deleted:
                case ManifestState.Abandoned when row.IsStale:
                    if (await SizeAsync(blob.Name, cancellationToken) is { } bytes)
                    {
                        run.Find(
                            FindingKind.BlobExtra, blob.Name, row is null ? "no blob: the manifest has no such file" : $"no blob: the file is {row.State}", $"{bytes} bytes",
                            "The store holds a blob that no live file names. No answer uses it.", "Find out where it comes from (a restored database knows no files of after its time), then delete it.");
                    }

                    break;
            }
        }
    }

    private async Task ReadAsync(ReconciliationRun run, IEnumerable<ManifestRow> rows, CancellationToken cancellationToken)
    {
        var marked = new List<Guid>();
        await Parallel.ForEachAsync(rows, Parallelism(cancellationToken), async (row, token) =>
        {
            var state = await ReadAsync(run, row, token);
            if (state == BlobState.Archived)
                run.Skip("contents", row.BlobName, "It is in the archive tier; its name and size are compared.");
            if (state is not (BlobState.Sound or BlobState.Archived))
                return;
            lock (marked)
                marked.Add(row.FileId);
        });
        await manifest.MarkAsync(marked, cancellationToken);
    }

    private async Task<BlobState> ReadAsync(ReconciliationRun run, ManifestRow row, CancellationToken cancellationToken)
    {
        try
        {
            var (bytes, sha256) = await HashAsync(row.BlobName, cancellationToken);
            run.CountContents();
            if (IsRight(bytes, sha256))
                return BlobState.Sound;
            // Once more: the way from the store could have been the fault.
            (bytes, sha256) = await HashAsync(row.BlobName, cancellationToken);
            if (IsRight(bytes, sha256))
                return BlobState.Sound;
            if (!await IsLiveAsync(run, row, cancellationToken))
                return BlobState.NotLive;
            run.Find(
                FindingKind.BlobChanged, row.BlobName, $"SHA-256 {Convert.ToHexStringLower(row.Sha256!)}, {row.Bytes} bytes", $"SHA-256 {Convert.ToHexStringLower(sha256)}, {bytes} bytes",
                "The bytes of a live file are not those that were archived.", null, row.FileId);
            return BlobState.Damaged;

            bool IsRight(long length, byte[] hash) => length == row.Bytes && hash.AsSpan().SequenceEqual(row.Sha256);
        }
        catch (RequestFailedException exception) when (exception.ErrorCode is "BlobArchived" or "BlobBeingRehydrated")
        {
            run.PutOutOfReach(row.BlobName, InArchiveTier);
            return BlobState.Archived;
        }
        catch (RequestFailedException exception) when (exception.Status == 404)
        {
            if (!await IsLiveAsync(run, row, cancellationToken))
                return BlobState.NotLive;
            ReportMissing(run, row);
            return BlobState.Damaged;
        }
    }

    private static void ReportMissing(ReconciliationRun run, ManifestRow row) =>
        run.Find(FindingKind.BlobMissing, row.BlobName, $"{row.Bytes} bytes", "no blob", "The blob of a live file is not in the store.", null, row.FileId);

    private async Task<bool> IsLiveAsync(ReconciliationRun run, ManifestRow row, CancellationToken cancellationToken) =>
        await manifest.FindAsync([row.BlobName], run.Request, cancellationToken) is [{ State: ManifestState.Live }];

    private async Task<(long Bytes, byte[] Sha256)> HashAsync(string blobName, CancellationToken cancellationToken)
    {
        var response = await connections.RawEvents.GetBlobClient(blobName).DownloadStreamingAsync(cancellationToken: cancellationToken);
        using var blob = response.Value;
        return (blob.Details.ContentLength, await SHA256.HashDataAsync(blob.Content, cancellationToken));
    }

    /// <returns>Null when there is no such blob.</returns>
    private async Task<long?> SizeAsync(string blobName, CancellationToken cancellationToken)
    {
        try
        {
            BlobProperties properties = await connections.RawEvents.GetBlobClient(blobName).GetPropertiesAsync(cancellationToken: cancellationToken);
            return properties.ContentLength;
        }
        catch (RequestFailedException exception) when (exception.Status == 404)
        {
            return null;
        }
    }

    private ParallelOptions Parallelism(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = options.Value.Downloads, CancellationToken = cancellationToken };
}

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Azure;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>
/// The archived events that count: valid, no repeats, no replays, below the cut. A file's bytes are in memory at a time, its rows a row group at a time;
/// of files that are to be read together, all events are (<see cref="RebuildOrder"/>: a cycle, as a rule two or three files).
/// </summary>
internal sealed class RebuildSource(HybridConnectionManager connections)
{
    /// <summary>
    /// The files that may hold events of the range, and those that lie between them in their partitions: how late an event was for stateful rules follows from all that came before it.
    /// </summary>
    /// <param name="from">Of transaction time: microseconds since the Unix epoch, inclusive.</param>
    /// <param name="to">Exclusive.</param>
    /// <exception cref="RebuildRefusedException">Files of the range were deleted at the end of their retention: their figures are all that is left of them.</exception>
    public async Task<List<RebuildFile>> ListAsync(long from, long to, CancellationToken cancellationToken)
    {
        const string sql = $"""
            WITH wanted AS (
              SELECT f.file_id FROM raw_event_files f WHERE f.state = 'live' AND f.max_transaction_timestamp >= $1 AND f.min_transaction_timestamp < $2
            ), {ArchiveManifest.ChosenWithThoseBetween}
            SELECT f.file_id, f.blob_name, f.sha256, f.row_count, r.stream, r.log_id, r.partition_id, r.first_offset, r.next_offset
            FROM chosen JOIN raw_event_files f USING (file_id) JOIN raw_event_ranges r ON r.file_id = f.file_id AND r.live
            WHERE f.state = 'live'
            ORDER BY f.file_id
            """;
        await using var command = connections.Database.CreateCommand(sql);
        command.Parameters.Add(SqlArray.Time(from));
        command.Parameters.Add(SqlArray.Time(to));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<RebuildFile>();
        var ranges = new List<OffsetRange>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = reader.GetGuid(0);
            if (files.Count == 0 || files[^1].Id != id)
                files.Add(new(id, reader.GetString(1), reader.GetFieldValue<byte[]>(2), reader.GetInt64(3), ranges = []));
            ranges.Add(new(new(reader.GetString(4), reader.GetString(5), reader.GetInt32(6)), reader.GetInt64(7), reader.GetInt64(8)));
        }

        // After the list: what leaves it later is still read, or is found to be missing.
        await RefuseDeletedAsync(from, to, cancellationToken);
        return files;
    }

    private async Task RefuseDeletedAsync(long from, long to, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT count(*), max({ArchiveManifest.LatestValid}) FROM raw_event_files
            WHERE gone_state IN ('deleting', 'deleted') AND max_transaction_timestamp >= $1 AND {ArchiveManifest.LatestValid} >= $1 AND min_transaction_timestamp < $2
            """;
        await using var command = connections.Database.CreateCommand(sql);
        command.Parameters.Add(SqlArray.Time(from));
        command.Parameters.Add(SqlArray.Time(to));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (await reader.ReadAsync(cancellationToken) && reader.GetInt64(0) is > 0 and var count)
        {
            throw new RebuildRefusedException(string.Create(
                CultureInfo.InvariantCulture,
                $"{count} archive files of the range, or of what the rules look back on before it, were deleted at the end of their retention (their last event is of {reader.GetDateTime(1):yyyy-MM-dd'T'HH:mm:ss'Z'}): the figures can't be computed without them. Ask for a range of later days."));
        }
    }

    /// <summary>The group's events; each partition's in the order of its offsets.</summary>
    /// <exception cref="RebuildRefusedException">A file can't be read: without it the figures would be wrong.</exception>
    public async IAsyncEnumerable<ArchivedEvent> ReadAsync(List<RebuildFile> group, IReadOnlyDictionary<StreamPartition, long> cut, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (group.Count > 1)
        {
            var events = new List<ArchivedEvent>();
            foreach (var file in group)
                events.AddRange(await ReadAsync(file, cut, cancellationToken).ToListAsync(cancellationToken));
            foreach (var archived in events.OrderBy(e => e.Partition).ThenBy(e => e.Offset))
                yield return archived;
            yield break;
        }

        var last = new Dictionary<StreamPartition, long>();
        await foreach (var archived in ReadAsync(group[0], cut, cancellationToken))
        {
            if (last.TryGetValue(archived.Partition, out var offset) && archived.Offset <= offset)
                throw new RebuildRefusedException($"The archive file {group[0].BlobName} does not hold its events in the order of their offsets.");
            last[archived.Partition] = archived.Offset;
            yield return archived;
        }
    }

    private async IAsyncEnumerable<ArchivedEvent> ReadAsync(RebuildFile file, IReadOnlyDictionary<StreamPartition, long> cut, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var content = await FetchAsync(file, cancellationToken);
        await using var events = ParquetSerializer.ReadAsync(content, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await NextAsync(file, events))
        {
            var archived = events.Current;
            if (archived is { IsValid: true, Duplicate: false, Origin: not EventOrigin.Replay } && cut.TryGetValue(archived.Partition, out var end) && archived.Offset < end)
                yield return archived;
        }
    }

    private static async ValueTask<bool> NextAsync(RebuildFile file, IAsyncEnumerator<ArchivedEvent> events)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (InvalidDataException exception)
        {
            throw new RebuildRefusedException($"The archive file {file.BlobName} can't be read: {exception.Message}", exception);
        }
    }

    private async Task<MemoryStream> FetchAsync(RebuildFile file, CancellationToken cancellationToken)
    {
        var content = new MemoryStream();
        try
        {
            await connections.RawEvents.GetBlobClient(file.BlobName).DownloadToAsync(content, cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.Status == 404)
        {
            throw new RebuildRefusedException($"{LostFile.Missing(file.BlobName)} Then ask again.", exception);
        }
        catch (RequestFailedException exception) when (exception.ErrorCode is "BlobArchived" or "BlobBeingRehydrated")
        {
            throw new RebuildRefusedException($"The archive file {file.BlobName} is in the archive tier. Rehydrate it first (that takes hours), then ask again.", exception);
        }

        if (!SHA256.HashData(content.GetBuffer().AsSpan(0, (int)content.Length)).AsSpan().SequenceEqual(file.Sha256))
            throw new RebuildRefusedException($"{LostFile.Damaged(file.BlobName)} Then ask again.");
        content.Position = 0;
        return content;
    }
}

using System.Globalization;
using System.Numerics;
using Azure;
using DuckDB.NET.Data;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.BlobArchiver.Compaction;

/// <summary>
/// Several files' events as one file: fetched and checked, sorted by DuckDB slice by slice, and encoded row by row as they are. Events come in the order of their arrival,
/// each partition's in the order of its offsets: by the latest arrival in the partition so far, as the stream's clock may step back.
/// </summary>
internal sealed class ArchiveMerge : IDisposable
{
    private const string Position = "stream, stream_log_id, stream_partition, stream_offset";
    private const string Arrival = "coalesce(arrival, enqueued_at)";
    private const int SliceRows = 25_000;
    private const long SliceBytes = 32 << 20;

    private readonly string _directory = WorkFolders.CreateForMerge().FullName;
    private readonly IReadOnlyList<MergeFile> _files;
    private DuckDBConnection? _duckDb;
    private (long Rows, BigInteger Sum, ulong Mix) _originals;

    private ArchiveMerge(IReadOnlyList<MergeFile> files) => _files = files;

    public RawEventBuffer Events { get; } = new(ofArchived: true);

    /// <param name="memory">Bytes that sorting may take.</param>
    /// <exception cref="OriginalUnreadableException">One of the files can't be read.</exception>
    /// <exception cref="RequestFailedException">The store does not answer.</exception>
    public static async Task<ArchiveMerge> OfAsync(IReadOnlyList<MergeFile> files, ArchiveBlobs blobs, long memory, CancellationToken cancellationToken)
    {
        var merge = new ArchiveMerge(files);
        try
        {
            for (var i = 0; i < files.Count; i++)
                await merge.FetchAsync(files[i], merge.LocalPath(i), blobs, cancellationToken);
            await Task.Run(() => merge.Read(memory, cancellationToken), cancellationToken);
            return merge;
        }
        catch
        {
            merge.Dispose();
            throw;
        }
    }

    /// <summary>Reads the merged file and compares it with the originals, whatever the order of the rows: all columns, and the payloads' SHA-256.</summary>
    /// <exception cref="InvalidDataException">It does not hold exactly their events.</exception>
    public async Task CheckAsync(ParquetFile merged, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_directory, "merged.parquet");
        await using (var target = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None))
        await using (var content = merged.OpenRead())
            await content.CopyToAsync(target, cancellationToken);
        var found = await Task.Run(() => Fingerprint($"read_parquet({SandboxedDuckDb.Quote(path)}, hive_partitioning = false)", cancellationToken), cancellationToken);
        if (found != _originals)
            throw new InvalidDataException($"The merged file does not hold exactly the events of its {_files.Count} originals ({found.Rows} rows, {_originals.Rows} in the originals).");
    }

    public void Dispose()
    {
        _duckDb?.Dispose();
        Events.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>A literal: the engine compares it with the statistics of the row groups.</summary>
    private static string Time(long micros) => string.Create(CultureInfo.InvariantCulture, $"TIMESTAMPTZ '{ArchiveFileName.FromMicros(micros):yyyy-MM-dd HH:mm:ss.ffffff}+00'");

    private async Task FetchAsync(MergeFile file, string path, ArchiveBlobs blobs, CancellationToken cancellationToken)
    {
        try
        {
            if (!await blobs.FetchAsync(file.BlobName, path, file.Bytes, file.Sha256, cancellationToken))
                throw new OriginalUnreadableException(file, "its bytes are not those of the manifest");
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            throw new OriginalUnreadableException(file, "the store has no such blob", e);
        }
        catch (RequestFailedException e) when (e.ErrorCode is "BlobArchived" or "BlobBeingRehydrated")
        {
            throw new OriginalUnreadableException(file, "it is in the archive tier", e);
        }
    }

    private void Read(long memory, CancellationToken cancellationToken)
    {
        _duckDb = SandboxedDuckDb.Open(_directory, memory);
        Execute($"CREATE VIEW originals AS SELECT * FROM read_parquet([{string.Join(", ", _files.Select((_, i) => SandboxedDuckDb.Quote(LocalPath(i))))}], hive_partitioning = false)", cancellationToken);
        _originals = Fingerprint("originals", cancellationToken);
        if (_originals.Rows != _files.Sum(f => f.Rows))
            throw new InvalidDataException($"The files {string.Join(", ", _files.Select(f => f.BlobName))} hold {_originals.Rows} rows, the manifest says {_files.Sum(f => f.Rows)}.");

        FindOvertaken(cancellationToken);
        foreach (var slice in Slices(cancellationToken))
            Append(slice, cancellationToken);
    }

    /// <summary>Notes the rows before which, in their partition, a later arrival stands: hardly ever any. A partition at a time, so that it takes little memory.</summary>
    private void FindOvertaken(CancellationToken cancellationToken)
    {
        Execute("CREATE TABLE overtaken (stream VARCHAR, stream_log_id VARCHAR, stream_partition INTEGER, stream_offset BIGINT, arrival TIMESTAMPTZ)", cancellationToken);
        var partitions = new List<(string Stream, string LogId, int Partition)>();
        Query(
            "SELECT DISTINCT stream, stream_log_id, stream_partition FROM originals",
            reader =>
            {
                while (reader.Read())
                    partitions.Add((reader.GetString(0), reader.GetString(1), reader.GetInt32(2)));
            },
            cancellationToken);
        foreach (var (stream, logId, partition) in partitions)
        {
            Query(
                """
                INSERT INTO overtaken SELECT $stream, $log, $partition, stream_offset, arrival FROM (
                  SELECT stream_offset, enqueued_at, max(enqueued_at) OVER (ORDER BY stream_offset) AS arrival FROM originals WHERE stream = $stream AND stream_log_id = $log AND stream_partition = $partition)
                WHERE arrival > enqueued_at
                """,
                _ => { },
                cancellationToken,
                new("stream", stream),
                new("log", logId),
                new("partition", partition));
        }
    }

    /// <summary>Spans of arrival that are sorted at a time: whole events need memory, and originals cover a short time each.</summary>
    private List<(long First, long End, long FirstEnqueued)> Slices(CancellationToken cancellationToken)
    {
        var slices = new List<(long, long, long)>();
        Query(
            $"""
            SELECT epoch_us({Arrival}) AS arrived, count(*), coalesce(sum(octet_length(raw_payload)), 0)::BIGINT, epoch_us(min(enqueued_at))
            FROM originals LEFT JOIN overtaken USING ({Position}) GROUP BY 1 ORDER BY 1
            """,
            reader =>
            {
                var (first, last, firstEnqueued, rows, bytes) = (0L, 0L, long.MaxValue, 0L, 0L);
                while (reader.Read())
                {
                    var (arrival, more, moreBytes) = (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
                    if (rows > 0 && (rows + more > SliceRows || bytes + moreBytes > SliceBytes))
                    {
                        slices.Add((first, last + 1, firstEnqueued));
                        (firstEnqueued, rows, bytes) = (long.MaxValue, 0, 0);
                    }

                    if (rows == 0)
                        first = arrival;
                    (last, rows, bytes, firstEnqueued) = (arrival, rows + more, bytes + moreBytes, Math.Min(firstEnqueued, reader.GetInt64(3)));
                }

                slices.Add((first, last + 1, firstEnqueued));
            },
            cancellationToken);
        return slices;
    }

    private void Append((long First, long End, long FirstEnqueued) slice, CancellationToken cancellationToken) => Query(
        $"""
        SELECT {MergedRow.SelectList} FROM originals LEFT JOIN overtaken USING ({Position})
        WHERE enqueued_at >= {Time(slice.FirstEnqueued)} AND enqueued_at < {Time(slice.End)} AND {Arrival} >= {Time(slice.First)} AND {Arrival} < {Time(slice.End)}
        ORDER BY {Arrival}, {Position}
        """,
        reader =>
        {
            var row = new MergedRow(reader);
            while (reader.Read())
            {
                cancellationToken.ThrowIfCancellationRequested();
                Events.AppendArchived(row);
            }
        },
        cancellationToken);

    private (long Rows, BigInteger Sum, ulong Mix) Fingerprint(string files, CancellationToken cancellationToken)
    {
        var columns = string.Join(", ", ParquetSerializer.ColumnNames.Select(name => name == "raw_payload" ? $"sha256({name})" : name));
        (long, BigInteger, ulong) fingerprint = default;
        Query(
            $"SELECT count(*), sum(h)::HUGEINT, bit_xor(h) FROM (SELECT hash({columns}) AS h FROM {files})",
            reader =>
            {
                reader.Read();
                fingerprint = (reader.GetInt64(0), reader.GetFieldValue<BigInteger>(1), reader.GetFieldValue<ulong>(2));
            },
            cancellationToken);
        return fingerprint;
    }

    private void Execute(string sql, CancellationToken cancellationToken) => Query(sql, _ => { }, cancellationToken);

    private void Query(string sql, Action<DuckDBDataReader> read, CancellationToken cancellationToken, params DuckDBParameter[] parameters)
    {
        using var command = _duckDb!.CreateCommand();
        command.CommandText = sql;
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        command.UseStreamingMode = true;
        // The engine looks at no token.
        using var interrupt = cancellationToken.UnsafeRegister(static running => ((DuckDBCommand)running!).Cancel(), command);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using var reader = command.ExecuteReader();
            read(reader);
        }
        catch (DuckDBException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    private string LocalPath(int index) => Path.Combine(_directory, $"{index}.parquet");
}

using DuckDB.NET.Data;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.Query;

/// <summary>Writes the answer to a query as one Parquet file in the cache's temporary folder: a part a slice, then all parts in order.</summary>
public sealed class ParquetExporter(ManifestReader manifest, ArchiveFileCache cache, ArchiveEngine engine, QueryTelemetry telemetry, IOptions<QueryOptions> options, TimeProvider timeProvider)
{
    private const string Columns = "* EXCLUDE (filename), map($paths, $blobs)[filename] AS archive_file";

    // Several row groups a slice, so that they are encoded side by side and memory stays small; larger ones save one per cent of the bytes.
    private const string Settings = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)";

    /// <exception cref="ArchiveFileException">A file can't be read.</exception>
    /// <exception cref="BadHttpRequestException">The range is too large for one file on this machine's disk.</exception>
    public async Task<EventParquet> ExportAsync(ArchiveQuery query, CancellationToken cancellationToken)
    {
        using var turn = await engine.EnterAsync(query.IsExport, cancellationToken);
        var (started, outcome, rows) = (timeProvider.GetTimestamp(), "failed", 0L);
        var parts = new List<string>();
        try
        {
            var from = query.After is { } after ? Math.Max(after.Time, query.From ?? long.MinValue) : query.From;
            var files = (await manifest.FindAsync(query.Axis, from, query.To, query.After?.Generation, cancellationToken)).Files;
            telemetry.FilesScanned(files.Count);
            if (files.Sum(f => f.Bytes) > options.Value.SpillBytes / 2)
                throw new BadHttpRequestException($"The range has too many bytes for one Parquet answer ({QueryOptions.Section}:{nameof(QueryOptions.SpillBytes)}). Ask for a shorter one, take NDJSON, or read the files that /v1/archive/files lists.", 413);

            IEnumerable<ScanSlice> slices = ScanPlanner.Plan(files, from, query.To, options.Value);
            foreach (var slice in slices.TakeWhile(_ => !(rows >= query.Limit)))
            {
                using var local = await cache.AcquireAsync(slice.Files, cancellationToken);
                var part = cache.Directory.TemporaryPath();
                parts.Add(part);
                rows += await CopyAsync(
                    command =>
                    {
                        query.Build(command, slice, local.BlobNames.Keys, query.Limit - rows, Columns, select => $"COPY ({select}) TO '{Quote(part)}' {Settings}");
                        command.Parameters.Add(new DuckDBParameter("paths", local.BlobNames.Keys.ToList()));
                        command.Parameters.Add(new DuckDBParameter("blobs", local.BlobNames.Values.ToList()));
                    },
                    cancellationToken);
            }

            if (parts.Count == 0)
            {
                outcome = "completed";
                return new(null);
            }

            var result = parts[0];
            if (parts.Count > 1)
            {
                result = cache.Directory.TemporaryPath();
                await CopyAsync(
                    command =>
                    {
                        command.CommandText = $"COPY (SELECT * FROM read_parquet($parts, union_by_name = true)) TO '{Quote(result)}' {Settings}";
                        command.Parameters.Add(new DuckDBParameter("parts", parts));
                    },
                    cancellationToken);
            }

            // Unlinked at once where the system allows it, and in any case when the stream closes.
            var stream = new FileStream(result, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.Read | FileShare.Delete, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous | FileOptions.SequentialScan });
            parts.Remove(result);
            outcome = "completed";
            return new(stream);
        }
        finally
        {
            foreach (var part in parts)
                File.Delete(part);
            telemetry.QueryEnded("parquet", outcome, timeProvider.GetElapsedTime(started), rows);
        }
    }

    private Task<long> CopyAsync(Action<DuckDBCommand> build, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            using var connection = engine.OpenConnection();
            using var command = connection.CreateCommand();
            build(command);
            using var interrupt = cancellationToken.UnsafeRegister(static command => ((DuckDBCommand)command!).Cancel(), command);
            cancellationToken.ThrowIfCancellationRequested();
            return Convert.ToInt64(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
        },
        cancellationToken);

    private static string Quote(string path) => path.Replace("'", "''", StringComparison.Ordinal);
}

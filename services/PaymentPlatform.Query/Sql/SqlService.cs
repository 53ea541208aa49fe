using System.Text.Json;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.Query.Sql;

/// <summary>Answers statements: a worker checks one, the manifest says which files it needs, the cache has their copies, and the worker runs it over these.</summary>
internal sealed class SqlService(SqlWorkers workers, ManifestReader manifest, ArchiveFileCache cache, QueryTelemetry telemetry, IOptions<QueryOptions> options, TimeProvider timeProvider)
{
    private const string Kind = "sql";

    /// <exception cref="SqlProblemException">It is not answered.</exception>
    /// <exception cref="EngineBusyException">Too many statements run.</exception>
    /// <exception cref="ArchiveFileException">A file can't be read.</exception>
    public async Task<SqlAnswer> AskAsync(SqlRequest request, CancellationToken cancellationToken)
    {
        using var turn = await workers.EnterAsync(cancellationToken);
        using var activity = QueryTelemetry.Source.StartActivity("query.archive")?.SetTag("query.kind", Kind);
        var started = timeProvider.GetTimestamp();
        var answer = new SqlAnswer();
        var outcome = "failed";
        try
        {
            await AskAsync(turn, request, answer, cancellationToken);
            outcome = "completed";
        }
        catch (OperationCanceledException)
        {
            outcome = "cancelled";
            throw;
        }
        finally
        {
            answer.Elapsed = timeProvider.GetElapsedTime(started);
            telemetry.QueryEnded(Kind, outcome, answer.Elapsed, answer.Rows);
            activity?.SetTag("query.rows", answer.Rows).SetTag("query.outcome", outcome);
        }

        return answer;
    }

    private async Task AskAsync(SqlTurn turn, SqlRequest request, SqlAnswer answer, CancellationToken cancellationToken)
    {
        SqlChecked? found = null;
        await turn.RunAsync(
            new(request.Sql, null),
            frame =>
            {
                found = frame.Kind == SqlFrameKind.Checked ? JsonSerializer.Deserialize(frame.Content, SqlJsonContext.Default.SqlChecked) : throw Failure(frame, request.Sql);
                return false;
            },
            cancellationToken);

        var files = found!.ReadsEvents ? await FindFilesAsync(request, found, cancellationToken) : [];
        telemetry.FilesScanned(answer.Files = files.Count);
        using var copies = await cache.AcquireAsync(files, cancellationToken);
        using var spill = new SpillDirectory(cache.Directory.Temp);
        await turn.RunAsync(
            new(null, new([.. copies.BlobNames.Keys], [.. copies.BlobNames.Values], request.From, request.To, request.Limit, options.Value.SqlBytes, options.Value.SqlMemory, options.Value.SqlThreads, spill.Path, options.Value.SqlSpillBytes)),
            frame => Take(frame, answer, request.Sql),
            cancellationToken);
    }

    private async Task<IReadOnlyList<ArchiveFile>> FindFilesAsync(SqlRequest request, SqlChecked found, CancellationToken cancellationToken)
    {
        var from = request.From > found.From ? request.From : found.From ?? request.From;
        var to = request.To < found.To ? request.To : found.To ?? request.To;
        // Without bounds events that have no transaction time are asked for too.
        var (files, _) = await manifest.FindAsync(from is null && to is null ? TimeAxis.Arrival : TimeAxis.Transaction, from, to, generation: null, cancellationToken);
        var bytes = files.Sum(f => f.Bytes);
        if (bytes > options.Value.CacheBytes)
        {
            throw new SqlProblemException(
                413, "Range too large",
                $"The statement needs {files.Count} archive files of {bytes} bytes, and {QueryOptions.Section}:{nameof(QueryOptions.CacheBytes)} allows {options.Value.CacheBytes}. "
                + "Give 'from' and 'to', or compare transaction_timestamp with constants in the WHERE clause of each SELECT from the view, or raise the option.");
        }

        return files;
    }

    private static bool Take(SqlFrame frame, SqlAnswer answer, string statement)
    {
        switch (frame.Kind)
        {
            case SqlFrameKind.Columns:
                answer.Columns(frame.Content);
                return true;
            case SqlFrameKind.Rows:
                answer.Add(frame.Content);
                return true;
            case SqlFrameKind.Ended:
                answer.End(JsonSerializer.Deserialize(frame.Content, SqlJsonContext.Default.SqlEnded)!);
                return false;
            default:
                throw Failure(frame, statement);
        }
    }

    private static Exception Failure(SqlFrame frame, string statement)
    {
        var failed = JsonSerializer.Deserialize(frame.Content, SqlJsonContext.Default.SqlFailed)!;
        return failed.Kind switch
        {
            SqlFailureKind.File => new ArchiveFileException(failed.Blob!, $"The archive file {failed.Blob} can't be read as Parquet, although its bytes are those of the manifest: {failed.Message}"),
            SqlFailureKind.Internal => new InvalidOperationException($"The views could not be made: {failed.Message}"),
            SqlFailureKind.TooLarge when failed.Position is null && failed.Message.StartsWith("One row", StringComparison.Ordinal) => new SqlProblemException(422, "Query too large", failed.Message),
            SqlFailureKind.TooLarge => SqlProblemException.TooLarge(),
            _ => new SqlProblemException(422, failed.Kind == SqlFailureKind.Refused ? "Statement refused" : "Statement not valid", failed.Message) { Position = Position(statement, failed.Position) },
        };
    }

    private static (int Line, int Column)? Position(string statement, int? position)
    {
        if (position is not { } at)
            return null;
        var before = statement.AsSpan(0, Math.Min(at, statement.Length));
        return (before.Count('\n') + 1, before.Length - before.LastIndexOf('\n'));
    }

    /// <summary>A run's own; a worker that is ended leaves its files behind.</summary>
    private sealed class SpillDirectory(string parent) : IDisposable
    {
        public string Path { get; } = Directory.CreateDirectory(System.IO.Path.Combine(parent, "sql-" + Guid.NewGuid().ToString("N"))).FullName;

        public void Dispose()
        {
            try
            {
                Directory.Delete(Path, recursive: true);
            }
            catch (IOException)
            {
                // A worker that is being ended still writes; the next start of the service clears the folder.
            }
        }
    }
}

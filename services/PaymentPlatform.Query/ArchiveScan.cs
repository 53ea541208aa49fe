using System.Data.Common;
using System.Diagnostics;
using DuckDB.NET.Data;

namespace PaymentPlatform.Query;

/// <summary>A running query: slice by slice, and row by row within a slice.</summary>
public sealed class ArchiveScan(
    ArchiveQuery query, long generation, IEnumerable<ScanSlice> slices, ArchiveFileCache cache, ArchiveEngine engine, QueryTelemetry telemetry, TimeProvider timeProvider, IDisposable turn, CancellationToken cancellationToken)
    : IAsyncDisposable
{
    private readonly IEnumerator<ScanSlice> _slices = slices.GetEnumerator();
    private readonly Activity? _activity = QueryTelemetry.Source.StartActivity("query.archive")?.SetTag("query.kind", query.Kind);
    private readonly long _started = timeProvider.GetTimestamp();
    private CachedFiles? _files;
    private DuckDBConnection? _connection;
    private DuckDBCommand? _command;
    private DbDataReader? _reader;
    private string _outcome = "abandoned";

    public long Rows { get; private set; }

    /// <summary><see cref="ManifestView.Generation"/></summary>
    public long Generation => generation;

    /// <summary>Hands rows on until one is answered with false or none is left.</summary>
    /// <param name="row">Called on a thread of the pool, one call at a time; false pauses after this row.</param>
    /// <returns>False when the scan has ended.</returns>
    /// <exception cref="ArchiveFileException">A file can't be read.</exception>
    public async Task<bool> ReadAsync(Func<EventRow, bool> row)
    {
        try
        {
            while (true)
            {
                if (_reader is null && !await OpenSliceAsync())
                {
                    _outcome = "completed";
                    return false;
                }

                if (await Task.Run(() => ReadRows(row), cancellationToken))
                    return true;
                await CloseSliceAsync();
            }
        }
        catch (Exception exception)
        {
            _outcome = exception is OperationCanceledException ? "cancelled" : "failed";
            if (cancellationToken.IsCancellationRequested)
                throw new OperationCanceledException(exception.Message, exception, cancellationToken);
            if (exception is DuckDBException && _files?.BlobNames.FirstOrDefault(f => exception.Message.Contains(f.Key, StringComparison.Ordinal)).Value is { } blob)
                throw new ArchiveFileException(blob, $"The archive file {blob} can't be read as Parquet, although its bytes are those of the manifest.", exception);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await CloseSliceAsync();
        }
        finally
        {
            turn.Dispose();
            _slices.Dispose();
            telemetry.QueryEnded(query.Kind, _outcome, timeProvider.GetElapsedTime(_started), Rows);
            _activity?.SetTag("query.rows", Rows).SetTag("query.outcome", _outcome);
            _activity?.Dispose();
        }
    }

    private async Task<bool> OpenSliceAsync()
    {
        if (Rows >= query.Limit || !_slices.MoveNext())
            return false;
        var slice = _slices.Current;
        _files = await cache.AcquireAsync(slice.Files, cancellationToken);
        _connection = engine.OpenConnection();
        _command = _connection.CreateCommand();
        _command.UseStreamingMode = true;
        query.Build(_command, slice, _files.BlobNames.Keys, query.Limit - Rows);
        return true;
    }

    /// <summary>True: paused. False: the slice has no more.</summary>
    private bool ReadRows(Func<EventRow, bool> row)
    {
        // The engine works in here and looks at no token; an interrupt stops it within milliseconds.
        using var interrupt = cancellationToken.UnsafeRegister(static command => ((DuckDBCommand)command!).Cancel(), _command);
        cancellationToken.ThrowIfCancellationRequested();
        _reader ??= _command!.ExecuteReader();
        var current = new EventRow(_reader, _files!.BlobNames);
        while (_reader.Read())
        {
            Rows++;
            if (!row(current))
                return true;
        }

        return false;
    }

    private async Task CloseSliceAsync()
    {
        if (_reader is not null)
            await _reader.DisposeAsync();
        if (_command is not null)
            await _command.DisposeAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
        _files?.Dispose();
        (_reader, _command, _connection, _files) = (null, null, null, null);
    }
}

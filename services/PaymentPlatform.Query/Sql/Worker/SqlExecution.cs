using System.Buffers;
using System.Text.Json;
using DuckDB.NET.Data;
using DuckDB.NET.Native;

namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>Runs one checked statement in an engine of its own, and writes its rows as JSON.</summary>
internal sealed class SqlExecution
{
    /// <summary>A frame of rows goes out at this size.</summary>
    private const int FrameBytes = 48 << 10;

    private readonly string _statement;
    private readonly SqlRun _run;
    private readonly Action<SqlFrameKind, ReadOnlyMemory<byte>> _write;
    private readonly ArrayBufferWriter<byte> _buffer = new(FrameBytes * 2);
    private bool _columnsWritten;
    private long _rows;
    private long _bytes;

    private SqlExecution(string statement, SqlRun run, Action<SqlFrameKind, ReadOnlyMemory<byte>> write) => (_statement, _run, _write) = (statement, run, write);

    /// <summary>Writes the columns and the rows; the last frame is the caller's.</summary>
    /// <exception cref="SqlFailure">The engine can't answer it.</exception>
    public static SqlEnded Run(string statement, SqlRun run, Action<SqlFrameKind, ReadOnlyMemory<byte>> write)
    {
        var execution = new SqlExecution(statement, run, write);
        try
        {
            return execution.RunWhole();
        }
        catch (EngineException exception)
        {
            throw execution.Explain(exception);
        }
    }

    private SqlEnded RunWhole()
    {
        try
        {
            return RunOnce(byName: false);
        }
        catch (EngineException exception) when (!_columnsWritten && exception.MayBeOfColumns)
        {
            return RunOnce(byName: true);
        }
    }

    private SqlEnded RunOnce(bool byName)
    {
        using var connection = OpenEngine();
        try
        {
            SqlViews.Create(connection, _run, byName);
        }
        catch (DuckDBException exception)
        {
            throw new EngineException(EngineError.Read(exception.Message) with { Offset = null }, ofViews: true);
        }

        var state = NativeMethods.PreparedStatements.DuckDBPrepare(connection.NativeConnection, _statement, out var prepared);
        using (prepared)
        {
            if (state == DuckDBState.Error)
                throw new EngineException(EngineError.Read(NativeMethods.PreparedStatements.DuckDBPrepareError(prepared)));
            state = NativeMethods.PreparedStatements.DuckDBExecutePreparedStreaming(prepared, out var result);
            try
            {
                if (state == DuckDBState.Error)
                    throw new EngineException(EngineError.Read(NativeMethods.Query.DuckDBResultError(ref result)));
                var truncated = ReadRows(ref result);
                return new(_rows, truncated);
            }
            finally
            {
                NativeMethods.Query.DuckDBDestroyResult(ref result);
            }
        }
    }

    private DuckDBConnection OpenEngine() => SqlEngine.Open(
        _run.Files,
        $"memory_limit = '{_run.Memory} bytes'",
        $"threads = {_run.Threads}",
        $"temp_directory = {SqlEngine.Text(_run.SpillDirectory)}",
        $"max_temp_directory_size = '{_run.SpillBytes} bytes'");

    /// <returns>Whether there are more rows than may be answered.</returns>
    private bool ReadRows(ref DuckDBResult result)
    {
        ColumnWriter[]? columns = null;
        using var json = new Utf8JsonWriter(_buffer, new() { Encoder = EventJson.WriterOptions.Encoder, MaxDepth = EventJson.WriterOptions.MaxDepth, SkipValidation = true });
        while (true)
        {
            // The first chunk may still find out what a statement can't do; only then is an answer begun.
            using var chunk = NativeMethods.StreamingResult.DuckDBStreamFetchChunk(result);
            if (chunk.IsInvalid && NativeMethods.Query.DuckDBResultError(ref result) is { Length: > 0 } error)
                throw new EngineException(EngineError.Read(error));
            columns ??= WriteColumns(ref result, json);
            if (chunk.IsInvalid)
                break;
            if (WriteRows(chunk, columns, json))
                return Finish(truncated: true);
        }

        return Finish(truncated: false);
    }

    private bool Finish(bool truncated)
    {
        Flush();
        return truncated;
    }

    private ColumnWriter[] WriteColumns(ref DuckDBResult result, Utf8JsonWriter json)
    {
        var columns = new ColumnWriter[(int)NativeMethods.Query.DuckDBColumnCount(ref result)];
        json.WriteStartArray();
        for (var i = 0; i < columns.Length; i++)
        {
            using var type = NativeMethods.Query.DuckDBColumnLogicalType(ref result, i);
            var name = NativeMethods.Query.DuckDBColumnName(ref result, i);
            columns[i] = ColumnWriter.For(name, type);
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteString("type"u8, columns[i].TypeName);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.Flush();
        _write(SqlFrameKind.Columns, _buffer.WrittenMemory);
        _buffer.ResetWrittenCount();
        _columnsWritten = true;
        return columns;
    }

    /// <returns>True when the answer is full.</returns>
    private bool WriteRows(DuckDBDataChunk chunk, ColumnWriter[] columns, Utf8JsonWriter json)
    {
        var rows = (long)NativeMethods.DataChunks.DuckDBDataChunkGetSize(chunk);
        for (var i = 0; i < columns.Length; i++)
            columns[i].Bind(NativeMethods.DataChunks.DuckDBDataChunkGetVector(chunk, i));
        for (var row = 0L; row < rows; row++)
        {
            if (_rows == _run.MaxRows)
                return true;
            var start = _buffer.WrittenCount;
            json.Reset();
            var budget = _run.MaxBytes - _bytes;
            try
            {
                json.WriteStartArray();
                foreach (var column in columns)
                {
                    column.Write(json, row);
                    if (json.BytesPending > FrameBytes)
                        json.Flush();
                    if (_buffer.WrittenCount - start > budget)
                        break;
                }

                json.WriteEndArray();
                json.Flush();
            }
            catch (ValueTooLargeException)
            {
                budget = -1;
            }

            var length = _buffer.WrittenCount - start + 1;
            if (length > budget)
            {
                if (_rows == 0)
                    throw new SqlFailure(SqlFailureKind.TooLarge, $"One row alone takes more than the {_run.MaxBytes} bytes that an answer may have.");
                Take(start);
                return true;
            }

            _rows++;
            _bytes += length;
            if (_buffer.WrittenCount > FrameBytes)
                Flush();
            else
                Separate();
        }

        return false;
    }

    /// <summary>Leaves the begun row out.</summary>
    private void Take(int length)
    {
        var kept = _buffer.WrittenSpan[..length].ToArray();
        _buffer.ResetWrittenCount();
        _buffer.Write(kept);
    }

    private void Separate() => _buffer.Write(","u8);

    private void Flush()
    {
        var content = _buffer.WrittenMemory;
        if (!content.IsEmpty && content.Span[^1] == ',')
            content = content[..^1];
        if (!content.IsEmpty)
            _write(SqlFrameKind.Rows, content);
        _buffer.ResetWrittenCount();
    }

    private SqlFailure Explain(EngineException exception)
    {
        var error = exception.Error;
        if (error.IsMemory)
            return new(SqlFailureKind.TooLarge, "It needs more memory or disk than a statement may have.");
        var message = error.Message;
        string? blob = null;
        for (var i = 0; i < _run.Files.Count; i++)
        {
            if (!message.Contains(_run.Files[i], StringComparison.Ordinal))
                continue;
            blob ??= _run.BlobNames[i];
            message = message.Replace(_run.Files[i], _run.BlobNames[i], StringComparison.Ordinal);
        }

        // What else is local: the folders of the copies and of the spill.
        foreach (var folder in _run.Files.Take(1).Append(_run.SpillDirectory).Select(Path.GetDirectoryName).OfType<string>())
            message = message.Replace(folder, "…", StringComparison.Ordinal);
        return new(new SqlFailed(blob is not null ? SqlFailureKind.File : exception.OfViews ? SqlFailureKind.Internal : SqlFailureKind.Invalid, message, error.Position(_statement), blob));
    }

    private sealed class EngineException(EngineError error, bool ofViews = false) : Exception(error.Message)
    {
        public EngineError Error { get; } = error;

        /// <summary>Not the caller's statement.</summary>
        public bool OfViews => ofViews;

        /// <summary>Whether the files may have different columns: the views don't fit the first file, or a later file does not fit the first.</summary>
        public bool MayBeOfColumns { get; } = ofViews || error.Message.Contains("union_by_name", StringComparison.Ordinal);
    }
}

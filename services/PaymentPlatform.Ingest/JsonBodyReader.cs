using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.ObjectPool;

namespace PaymentPlatform.Ingest;

/// <summary>Reads a body that is one JSON document: whole, then checked, then cut into chunks.</summary>
internal sealed class JsonBodyReader(
    BodyStream body, IngestRun run, BodyHash hash, ByteBudget budget, ObjectPool<EventChunk> chunks, IngestFormat format, int maxBodyBytes)
{
    private const int FirstBufferBytes = 16 << 10;

    // The document's depth costs a bit a level; an event's depth is the parser's business.
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = int.MaxValue };

    private byte[] _buffer = [];
    private long _reserved;
    private int _filled;
    private int _position;
    private int _hashed;
    private JsonReaderState _state = new(ReaderOptions);

    /// <returns>False when there is no room for the request now; nothing was published.</returns>
    public async Task<bool> ReadAsync()
    {
        if (body.Length > maxBodyBytes)
            throw BodyException.TooLarge(maxBodyBytes);
        EventChunk? chunk = null, other = null;
        try
        {
            if (!await ReadWholeAsync())
                return false;
            SkipByteOrderMark();
            CheckDocument(out var first, out var length);
            chunk = chunks.Get();
            if (length > 0)
            {
                chunk.UseSource(_buffer);
                chunk.Add(new(first, length));
                await SubmitAsync(chunk, 0, 0, isLast: true);
            }
            else
            {
                other = chunks.Get();
                var isLast = false;
                long index = 0;
                for (var number = 0; !isLast; number++)
                {
                    chunk.Clear();
                    chunk.UseSource(_buffer);
                    isLast = Fill(chunk);
                    await SubmitAsync(chunk, number, index, isLast);
                    index += chunk.Count;
                    (chunk, other) = (other, chunk);
                }
            }

            await run.SettleAsync();
            return true;
        }
        finally
        {
            await run.QuiesceAsync();
            if (chunk is not null)
                chunks.Return(chunk);
            if (other is not null)
                chunks.Return(other);
            if (_buffer.Length > 0)
                ArrayPool<byte>.Shared.Return(_buffer);
            budget.Release(_reserved);
        }
    }

    private async ValueTask SubmitAsync(EventChunk chunk, int number, long firstIndex, bool isLast)
    {
        var end = isLast ? _filled : _position;
        hash.Append(_buffer.AsSpan(_hashed, end - _hashed));
        _hashed = end;
        chunk.BodyHash = hash.Current(isLast);
        chunk.IsLast = isLast;
        chunk.Number = number;
        chunk.FirstIndex = firstIndex;
        await run.SubmitAsync(chunk);
    }

    private async ValueTask<bool> ReadWholeAsync()
    {
        if (!Grow(body.Length ?? Math.Min(FirstBufferBytes, maxBodyBytes)))
            return false;
        var limit = (int)Math.Min(maxBodyBytes, body.Length ?? maxBodyBytes);
        while (true)
        {
            if (_filled == limit)
            {
                if (await body.ReadAsync(new byte[1]) > 0)
                    throw BodyException.TooLarge(maxBodyBytes);
                break;
            }

            if (_filled == _buffer.Length && !Grow(Math.Min(_filled * 2L, maxBodyBytes)))
                return false;
            var read = await body.ReadAsync(_buffer.AsMemory(_filled, Math.Min(_buffer.Length, limit) - _filled));
            if (read == 0)
                break;
            _filled += read;
        }

        return true;
    }

    private bool Grow(long size)
    {
        var bytes = ChunkLimits.Rounded(size);
        if (!budget.TryReserve(bytes))
            return false;
        var grown = ArrayPool<byte>.Shared.Rent((int)bytes);
        _buffer.AsSpan(0, _filled).CopyTo(grown);
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        budget.Release(_reserved);
        _buffer = grown;
        _reserved = bytes;
        return true;
    }

    private void SkipByteOrderMark()
    {
        if (_buffer.AsSpan(0, _filled).StartsWith("\uFEFF"u8))
            _position = 3;
    }

    /// <summary>The whole document is JSON and of the kind that the media type promises.</summary>
    /// <param name="first">Where a single object begins.</param>
    /// <param name="length">Its bytes; 0 for an array.</param>
    private void CheckDocument(out int first, out int length)
    {
        var document = _buffer.AsSpan(_position, _filled - _position);
        if (!document.ContainsAnyExcept(" \t\r\n"u8))
            throw BodyException.Empty();
        var reader = new Utf8JsonReader(document, ReaderOptions);
        try
        {
            reader.Read();
            var isArray = reader.TokenType == JsonTokenType.StartArray;
            var takesArray = format is IngestFormat.Json or IngestFormat.CloudEventBatch;
            var takesObject = format is IngestFormat.Json or IngestFormat.CloudEvent;
            first = _position + (int)reader.TokenStartIndex;
            var kind = reader.TokenType;
            reader.Skip();
            length = isArray ? 0 : _position + (int)reader.BytesConsumed - first;
            while (reader.Read())
            {
            }

            if (!(isArray && takesArray) && !(kind == JsonTokenType.StartObject && takesObject))
                throw BodyException.WrongDocument(format);
        }
        catch (JsonException e)
        {
            throw BodyException.NotJson(e.LineNumber + 1 ?? 1, e.BytePositionInLine + 1 ?? 1);
        }
    }

    /// <returns>True when the array ends with this chunk.</returns>
    private bool Fill(EventChunk chunk)
    {
        var start = _position;
        var reader = new Utf8JsonReader(_buffer.AsSpan(start, _filled - start), isFinalBlock: true, _state);
        if (reader.TokenType == JsonTokenType.None)
            reader.Read();
        while (chunk.Count < ChunkLimits.Events && chunk.RawBytes < ChunkLimits.Bytes)
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.EndArray)
                return true;
            var first = (int)reader.TokenStartIndex;
            reader.Skip();
            var size = (int)reader.BytesConsumed - first;
            chunk.Add(new(start + first, size));
            chunk.RawBytes += size;
        }

        _position = start + (int)reader.BytesConsumed;
        _state = reader.CurrentState;
        reader.Read();
        return reader.TokenType == JsonTokenType.EndArray;
    }
}

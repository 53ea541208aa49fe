using Microsoft.Extensions.ObjectPool;

namespace PaymentPlatform.Ingest;

/// <summary>
/// Reads a body of lines, of any length, through one or two chunk buffers. Where it is cut depends on its bytes alone, never on how they arrive.
/// Reads into a second buffer while the first is being published when there is room for one, else waits for the first.
/// </summary>
internal sealed class NdjsonReader(BodyStream body, IngestRun run, BodyHash hash, ByteBudget budget, ObjectPool<EventChunk> chunks, int maxEventBytes)
{
    private const int FirstBufferBytes = 64 << 10;

    private EventChunk _chunk = null!;
    private EventChunk? _previous;
    private long _bufferBytes;
    private int _filled;
    private int _lineStart;
    private int _scanned;
    private int _hashed;
    private long _discarded;
    private bool _isFirstLine = true;
    private long _index;
    private int _number;

    /// <returns>False when there is no room for the request now; nothing was read.</returns>
    public async Task<bool> ReadAsync()
    {
        _bufferBytes = Math.Min(ChunkLimits.BufferBytes(maxEventBytes), ChunkLimits.Rounded((body.Length ?? int.MaxValue) + 1));
        if (!budget.TryReserve(_bufferBytes))
            return false;
        _chunk = chunks.Get();
        try
        {
            _chunk.GrowSource((int)(body.Length is null ? Math.Min(FirstBufferBytes, _bufferBytes) : _bufferBytes), 0);
            await ReadLinesAsync();
        }
        finally
        {
            await run.QuiesceAsync();
            chunks.Return(_chunk);
            budget.Release(_bufferBytes);
            if (_previous is not null)
            {
                chunks.Return(_previous);
                budget.Release(_bufferBytes);
            }
        }

        return true;
    }

    private async Task ReadLinesAsync()
    {
        while (true)
        {
            if (Scan())
            {
                // One byte further on: whether the body ends here is part of the chunk.
                var isLast = _filled == _lineStart && await FillAsync() == 0;
                await EmitAsync(isLast);
                if (isLast)
                    return;
                continue;
            }

            DropTooLarge();
            if (await FillAsync() > 0)
                continue;
            if (_filled > _lineStart || _discarded > 0)
                AddLine(_filled, hasEnd: false);
            await EmitAsync(isLast: true);
            return;
        }
    }

    /// <summary>Takes in the lines that are there.</summary>
    /// <returns>True when the chunk is full.</returns>
    private bool Scan()
    {
        var source = _chunk.Source.AsSpan(0, _filled);
        while (true)
        {
            var length = source[_scanned..].IndexOf((byte)'\n');
            if (length < 0)
            {
                _scanned = _filled;
                return false;
            }

            AddLine(_scanned + length, hasEnd: true);
            if (_chunk.Count >= ChunkLimits.Events || _chunk.RawBytes >= ChunkLimits.Bytes)
                return true;
        }
    }

    private void AddLine(int end, bool hasEnd)
    {
        var source = _chunk.Source.AsSpan();
        var start = _lineStart;
        if (_isFirstLine && _discarded == 0 && source[start..end].StartsWith("\uFEFF"u8))
            start += 3;
        _isFirstLine = false;
        var line = source[start..end];
        if (hasEnd && line.EndsWith("\r"u8))
            line = line[..^1];
        if (_discarded > 0)
            _chunk.Add(new(-1, _discarded + line.Length));
        else if (line.ContainsAnyExcept((byte)' ', (byte)'\t', (byte)'\r'))
            _chunk.Add(new(start, line.Length));

        var next = hasEnd ? end + 1 : end;
        _chunk.RawBytes += _discarded + next - _lineStart;
        _discarded = 0;
        _lineStart = _scanned = next;
    }

    /// <summary>Forgets the bytes of an unfinished line that is too large already; its end is still looked for.</summary>
    private void DropTooLarge()
    {
        var length = _filled - _lineStart;
        if (_discarded == 0 && length <= maxEventBytes + 4)
            return;
        hash.Append(_chunk.Source.AsSpan(_hashed, _filled - _hashed));
        _discarded += length;
        _filled = _scanned = _hashed = _lineStart;
    }

    private async ValueTask<int> FillAsync()
    {
        await run.ThrowIfFailedAsync();
        if (_filled == _chunk.Source.Length)
            _chunk.GrowSource((int)Math.Min(_bufferBytes, _filled * 2L), _filled);
        if (_filled == _chunk.Source.Length)
            throw new InvalidOperationException("A chunk's buffer is full before the chunk is.");
        var read = await body.ReadAsync(_chunk.Source.AsMemory(_filled));
        _filled += read;
        return read;
    }

    private async ValueTask EmitAsync(bool isLast)
    {
        hash.Append(_chunk.Source.AsSpan(_hashed, _lineStart - _hashed));
        _chunk.BodyHash = hash.Current(isLast);
        _chunk.IsLast = isLast;
        _chunk.Number = _number++;
        _chunk.FirstIndex = _index;
        _index += _chunk.Count;
        if (isLast && _index == 0)
            throw BodyException.Empty();
        await run.SubmitAsync(_chunk);
        if (isLast)
            await run.SettleAsync();
        else
            await NextChunkAsync();
    }

    /// <summary>Goes on with the other buffer, which is settled by now, or with the same one once it is settled.</summary>
    private async ValueTask NextChunkAsync()
    {
        var filled = _chunk;
        var rest = _filled - _lineStart;
        if (_previous is null && budget.TryReserve(_bufferBytes))
            _previous = chunks.Get();
        if (_previous is null)
            await run.SettleAsync();
        else
            (_chunk, _previous) = (_previous, _chunk);

        _chunk.Clear();
        _chunk.GrowSource((int)_bufferBytes, filled == _chunk ? _filled : 0);
        filled.Source.AsSpan(_lineStart, rest).CopyTo(_chunk.Source);
        _filled = rest;
        _lineStart = _scanned = _hashed = 0;
    }
}

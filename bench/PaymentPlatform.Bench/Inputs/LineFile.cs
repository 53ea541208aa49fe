namespace PaymentPlatform.Bench.Inputs;

/// <summary>Reads a file line by line through one buffer, as a consumer reads its stream: the file is never in memory as a whole.</summary>
internal sealed class LineFile(string path) : IDisposable
{
    private readonly FileStream _file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
    private readonly byte[] _buffer = new byte[1 << 17];
    private int _start;
    private int _end;

    /// <param name="line">Without its end; good until the next call.</param>
    /// <returns>False after the last line.</returns>
    /// <exception cref="InvalidDataException">A line is longer than the buffer.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        var length = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
        if (length < 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            _end += _file.ReadAtLeast(_buffer.AsSpan(_end), _buffer.Length - _end, throwOnEndOfStream: false);
            length = _buffer.AsSpan(0, _end).IndexOf((byte)'\n');
            if (length < 0 && _end == _buffer.Length)
                throw new InvalidDataException($"{path} has a line of more than {_buffer.Length} bytes.");
        }

        line = length < 0 ? default : _buffer.AsMemory(_start, length);
        _start += length + 1;
        return length >= 0;
    }

    public void Dispose() => _file.Dispose();
}

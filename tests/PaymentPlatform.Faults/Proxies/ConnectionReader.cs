using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>Lines and counted bytes of a connection.</summary>
internal sealed class ConnectionReader(NetworkStream stream)
{
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;

    /// <summary>Without its end; null at the connection's end.</summary>
    public async ValueTask<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_start == _end && !await FillAsync(cancellationToken))
                return null;
            var end = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            var length = end < 0 ? _end - _start : end;
            line.Append(Encoding.Latin1.GetString(_buffer, _start, length));
            _start += end < 0 ? length : length + 1;
            if (end >= 0)
                return line.ToString().TrimEnd('\r');
        }
    }

    /// <exception cref="EndOfStreamException">The connection ended before.</exception>
    public async ValueTask<byte[]> ReadAsync(int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            if (_start == _end && !await FillAsync(cancellationToken))
                throw new EndOfStreamException();
            var length = Math.Min(count - read, _end - _start);
            _buffer.AsSpan(_start, length).CopyTo(bytes.AsSpan(read));
            _start += length;
            read += length;
        }

        return bytes;
    }

    /// <summary>A body in chunks, with its framing.</summary>
    public async ValueTask<byte[]> ReadChunkedAsync(CancellationToken cancellationToken)
    {
        using var raw = new MemoryStream();
        while (true)
        {
            var size = await ReadLineAsync(cancellationToken) ?? throw new EndOfStreamException();
            raw.Write(Encoding.Latin1.GetBytes(size + "\r\n"));
            var length = int.Parse(size.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            raw.Write(await ReadAsync(length + 2, cancellationToken));
            if (length == 0)
                return raw.ToArray();
        }
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _start = 0;
        _end = await stream.ReadAsync(_buffer, cancellationToken);
        return _end > 0;
    }
}

using System.Buffers.Binary;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>Cuts what a client sends to PostgreSQL into messages and tells which statement each one runs. One for each connection.</summary>
internal sealed class FrontendMessages
{
    private const int SslRequest = 80877103;
    private const int GssRequest = 80877104;

    private readonly Dictionary<string, StatementKind> _prepared = [];
    private byte[] _pending = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _started;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_start == _end)
            _start = _end = 0;
        if (_pending.Length - _end < bytes.Length)
        {
            var held = _pending.AsSpan(_start, _end - _start);
            var target = held.Length + bytes.Length <= _pending.Length ? _pending : new byte[Math.Max(_pending.Length * 2, held.Length + bytes.Length)];
            held.CopyTo(target);
            (_pending, _start, _end) = (target, 0, held.Length);
        }

        bytes.CopyTo(_pending.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>The next whole message, valid until the next <see cref="Append"/>.</summary>
    /// <param name="kind">Of the statement that it runs; null when it runs none.</param>
    public bool TryTake(out ReadOnlyMemory<byte> message, out StatementKind? kind)
    {
        (message, kind) = (default, null);
        var held = _pending.AsSpan(_start, _end - _start);
        var header = _started ? 5 : 4;
        if (held.Length < header)
            return false;
        var length = BinaryPrimitives.ReadInt32BigEndian(held[(header - 4)..]) + header - 4;
        if (held.Length < length)
            return false;
        message = _pending.AsMemory(_start, length);
        _start += length;
        if (_started)
            kind = Read(message.Span[0], message.Span[5..]);
        else
            // A question about encryption comes before the start-up message itself.
            _started = length != 8 || BinaryPrimitives.ReadInt32BigEndian(message.Span[4..]) is not (SslRequest or GssRequest);
        return true;
    }

    private StatementKind? Read(byte type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case (byte)'Q':
                return StatementKinds.Of(Text(ref body));
            case (byte)'P':
                var name = System.Text.Encoding.UTF8.GetString(Text(ref body));
                _prepared[name] = StatementKinds.Of(Text(ref body));
                return null;
            case (byte)'B':
                Text(ref body);
                return _prepared.GetValueOrDefault(System.Text.Encoding.UTF8.GetString(Text(ref body)));
            default:
                return null;
        }
    }

    private static ReadOnlySpan<byte> Text(ref ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)0);
        var text = body[..end];
        body = body[(end + 1)..];
        return text;
    }
}

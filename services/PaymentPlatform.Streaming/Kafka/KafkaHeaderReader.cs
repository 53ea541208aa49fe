using System.Buffers.Text;
using System.Text;
using Confluent.Kafka;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Takes a message's headers apart. The messages of a request follow each other with the same headers: they share one instance. One thread.</summary>
internal sealed class KafkaHeaderReader
{
    private const int MaxIdentityKey = 300;

    private readonly List<IHeader> _own = [];
    private List<(string Key, byte[] Value)> _last = [];
    private MessageHeaders _lastHeaders = MessageHeaders.Empty;

    public ReadOnlyMemory<byte> MessageId { get; private set; }

    public ReadOnlyMemory<byte> CorrelationId { get; private set; }

    public MessageIdentity Identity { get; private set; }

    public MessageHeaders Headers { get; private set; } = MessageHeaders.Empty;

    public void Read(Headers? headers)
    {
        ReadOnlyMemory<byte> key = default, index = default;
        MessageId = CorrelationId = default;
        _own.Clear();
        for (var i = 0; i < (headers?.Count ?? 0); i++)
        {
            var header = headers![i];
            switch (header.Key)
            {
                case HeaderNames.MessageId:
                    MessageId = header.GetValueBytes();
                    break;
                case HeaderNames.CorrelationId:
                    CorrelationId = header.GetValueBytes();
                    break;
                case HeaderNames.IdempotencyKey:
                    key = header.GetValueBytes();
                    break;
                case HeaderNames.IdempotencyIndex:
                    index = header.GetValueBytes();
                    break;
                default:
                    _own.Add(header);
                    break;
            }
        }

        Identity = IsIdentity(key.Span) && Utf8Parser.TryParse(index.Span, out long number, out var used) && used == index.Length && number >= 0 ? new(key, number) : default;
        if (!IsLast())
            Remember();
        Headers = _lastHeaders;
    }

    /// <summary>Another producer may have put anything there.</summary>
    private static bool IsIdentity(ReadOnlySpan<byte> key) => key.Length > 0 && !key.Contains((byte)0) && System.Text.Unicode.Utf8.IsValid(key) && Encoding.UTF8.GetCharCount(key) <= MaxIdentityKey;

    private bool IsLast()
    {
        if (_own.Count != _last.Count)
            return false;
        for (var i = 0; i < _own.Count; i++)
        {
            if (_own[i].Key != _last[i].Key || !_own[i].GetValueBytes().AsSpan().SequenceEqual(_last[i].Value))
                return false;
        }

        return true;
    }

    private void Remember()
    {
        _last = _own.ConvertAll(h => (h.Key, h.GetValueBytes() ?? []));
        _lastHeaders = _last.Count == 0 ? MessageHeaders.Empty : new(_last.Select(h => KeyValuePair.Create(h.Key.ToLowerInvariant(), Encoding.UTF8.GetString(h.Value))));
    }
}

using Confluent.Kafka;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Takes key and body of one message at a time out of librdkafka's memory, without an array for each. One thread.</summary>
internal sealed class KafkaScratch : IDeserializer<KafkaBytes>
{
    private byte[] _bytes = new byte[64 << 10];
    private int _used;

    public ReadOnlySpan<byte> this[KafkaBytes bytes] => _bytes.AsSpan(bytes.Offset, bytes.Length);

    public void Clear() => _used = 0;

    public KafkaBytes Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context)
    {
        if (data.Length > _bytes.Length - _used)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + data.Length));
        data.CopyTo(_bytes.AsSpan(_used));
        var bytes = new KafkaBytes(_used, data.Length);
        _used += data.Length;
        return bytes;
    }
}

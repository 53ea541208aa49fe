using System.Buffers;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Times and values of a key's events within the window that ends at its newest, oldest first.</summary>
internal struct SumEntry : IStateEntry
{
    /// <summary>Beyond it the two oldest become one with the later time of both.</summary>
    public const int Most = 256;

    private List<(long Micros, Int128 Value)>? _values;

    public Int128 Sum { get; private set; }

    public readonly long Newest => _values is [.., var last] ? last.Micros : long.MinValue;

    public readonly long Oldest => _values![0].Micros;

    public void Reset()
    {
        _values?.Clear();
        Sum = 0;
    }

    public void Expire(long upTo)
    {
        var gone = 0;
        for (; gone < (_values?.Count ?? 0) && _values![gone].Micros <= upTo; gone++)
            Sum -= _values[gone].Value;
        if (gone > 0)
            _values!.RemoveRange(0, gone);
    }

    public void Insert(long micros, Int128 value)
    {
        var values = _values ??= new(2);
        var at = values.Count;
        while (at > 0 && values[at - 1].Micros > micros)
            at--;
        values.Insert(at, (micros, value));
        Sum += value;
        if (values.Count <= Most)
            return;
        values[1] = (values[1].Micros, values[0].Value + values[1].Value);
        values.RemoveAt(0);
    }

    public readonly void Write(IBufferWriter<byte> output)
    {
        output.WriteUnsigned((ulong)(_values?.Count ?? 0));
        var before = 0L;
        foreach (var (micros, value) in _values ?? [])
        {
            output.WriteSigned(micros - before);
            output.WriteSigned(value);
            before = micros;
        }
    }

    public void Read(ref BlobReader reader)
    {
        _values = new(reader.ReadCount(2));
        var before = 0L;
        for (var left = _values.Capacity; left > 0; left--)
        {
            before += reader.ReadSigned();
            var value = reader.ReadWideSigned();
            _values.Add((before, value));
            Sum += value;
        }
    }
}

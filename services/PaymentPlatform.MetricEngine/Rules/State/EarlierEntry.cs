using System.Buffers;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>The newest event of a key that matched, and the value in which the next one may differ (0: none).</summary>
internal struct EarlierEntry : IStateEntry
{
    public long Newest { get; set; }

    // In two halves: a UInt128 would be aligned to 16 bytes, and a key take a third more memory.
    private ulong _low;
    private ulong _high;

    public UInt128 Value
    {
        readonly get => new(_high, _low);
        set => (_low, _high) = ((ulong)value, (ulong)(value >> 64));
    }

    public void Reset() => this = default;

    public readonly void Write(IBufferWriter<byte> output)
    {
        output.WriteSigned(Newest);
        output.WriteByte(Value == 0 ? (byte)0 : (byte)1);
        if (Value != 0)
            output.WriteHash(Value);
    }

    public void Read(ref BlobReader reader)
    {
        Newest = reader.ReadSigned();
        Value = reader.ReadByte() == 0 ? 0 : reader.ReadHash();
    }
}

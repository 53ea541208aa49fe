using System.Buffers;
using System.Buffers.Binary;
using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>
/// A window's sample: the <see cref="Size"/> events whose message ids hash lowest. Which they are does not depend on order or batches, and the samples of parts make the sample of the whole.
/// Kept in <c>cluster_samples</c> and in deltas: version, count, then each event's hash (8 bytes), amount, method and currency.
/// </summary>
public sealed class ClusterSample
{
    public const int Size = 200;

    private const byte Version = 1;

    private readonly List<SampleItem> _items = [];
    private bool _isCut;
    private SampleItem _last;

    /// <summary>The events, lowest hash first.</summary>
    public IReadOnlyList<SampleItem> Items
    {
        get
        {
            Cut();
            return _items;
        }
    }

    public void Add(in SampleItem item)
    {
        if (_isCut && item.CompareTo(_last) >= 0)
            return;
        _items.Add(item);
        if (_items.Count >= 2 * Size)
            Cut();
    }

    /// <summary>Whether an event of this hash would be left out.</summary>
    public bool IsBeyond(ulong hash) => _isCut && hash > _last.Hash;

    public void Clear()
    {
        _items.Clear();
        _isCut = false;
    }

    public void Write(IBufferWriter<byte> output)
    {
        Cut();
        output.WriteByte(Version);
        output.WriteNumber((ulong)_items.Count);
        foreach (var item in _items)
        {
            BinaryPrimitives.WriteUInt64BigEndian(output.GetSpan(8), item.Hash);
            output.Advance(8);
            output.WriteSigned(item.AmountScaled);
            output.WriteText(item.PaymentMethod);
            output.WriteText(item.Currency);
        }
    }

    public byte[] ToBytes()
    {
        var output = new ArrayBufferWriter<byte>();
        Write(output);
        return output.WrittenSpan.ToArray();
    }

    /// <exception cref="SketchFormatException">The bytes are none that <see cref="ToBytes"/> writes.</exception>
    public static ClusterSample FromBytes(ReadOnlySpan<byte> bytes)
    {
        var sample = new ClusterSample();
        var reader = new SketchReader(bytes, "cluster sample");
        sample.Merge(ref reader);
        reader.End();
        return sample;
    }

    internal void Merge(ref SketchReader reader)
    {
        reader.ReadVersion(Version);
        var count = reader.ReadCount();
        if (count > Size)
            throw reader.Bad("there are too many events");
        for (var i = 0; i < count; i++)
            Add(new(BinaryPrimitives.ReadUInt64BigEndian(reader.ReadBytes(8)), reader.ReadSigned(), reader.ReadText(), reader.ReadText()));
    }

    private void Cut()
    {
        _items.Sort();
        if (_items.Count < Size)
            return;
        _items.RemoveRange(Size, _items.Count - Size);
        _isCut = true;
        _last = _items[^1];
    }
}

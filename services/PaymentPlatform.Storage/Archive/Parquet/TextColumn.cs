using System.Numerics;
using System.Text;
using System.Text.Unicode;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>
/// UTF-8 texts. A dictionary is built while values come in; a column that turns out to be mostly unique goes over to PLAIN values,
/// and one whose dictionary gets too large keeps it for what it has and goes on with PLAIN pages.
/// </summary>
internal sealed class TextColumn : ColumnBuilder
{
    /// <summary>How often uniqueness is looked at.</summary>
    private const int Sample = 1024;

    private const int MaxDictionaryBytes = PageBytes;

    private readonly Utf8Dictionary _dictionary = new();
    private readonly ByteBuffer _min = new(64);
    private readonly ByteBuffer _max = new(64);
    private readonly BloomFilterBuilder? _filter;
    private int[] _indexes = new int[Sample];
    private int _indexCount;
    private int _lastIndex;
    private bool _plain;
    private bool _hasBounds;

    /// <param name="filter">Gets every value, for a filter beside the chunk; null for none.</param>
    public TextColumn(ColumnSchema schema, PageCompressor compressor, BloomFilterBuilder? filter = null)
        : base(schema, compressor) => _filter = filter;

    public override long BufferedBytes => base.BufferedBytes + _dictionary.Bytes + ((long)_indexCount * sizeof(int));

    /// <inheritdoc cref="Append"/>
    public void AppendNullable(ReadOnlySpan<byte> value, bool hasValue, bool isValid = false)
    {
        if (hasValue)
            Append(value, isValid);
        else
            AppendNull();
    }

    /// <summary>Invalid UTF-8 is replaced (U+FFFD): one bad value would make the whole file unreadable for most readers.</summary>
    /// <param name="isValid">Whether it is known to be valid UTF-8.</param>
    public void Append(ReadOnlySpan<byte> value, bool isValid = false)
    {
        if (_plain)
        {
            AppendPlain(isValid || Utf8.IsValid(value) ? value : Repaired(value));
            return;
        }

        var index = _dictionary.Find(value, out var hash);
        if (index < 0)
        {
            if (!isValid && !Utf8.IsValid(value))
            {
                Append(Repaired(value));
                return;
            }

            index = _dictionary.Add(value, hash, ~index);
            _filter?.Add(value);
        }

        AppendIndex(index);
    }

    /// <summary>Appends the value of the previous call of <see cref="Append"/> in this row group again; false when there is none any more.</summary>
    public bool TryAppendAgain()
    {
        if (_plain || _indexCount == 0)
            return false;
        AppendIndex(_lastIndex);
        return true;
    }

    protected override void Complete()
    {
        if (!_plain && _dictionary.Count > 1 && _dictionary.Count * 2 > _indexCount)
            MakePlain();
        if (!_plain && _indexCount > 0)
            FlushDictionary();
        base.Complete();
    }

    protected override ColumnStatistics TakeStatistics()
    {
        if (!_hasBounds)
            return default;
        var min = Utf8Bounds.Lower(_min.Written, out var minExact);
        var max = Utf8Bounds.Upper(_max.Written, out var maxExact);
        return new(min, max, minExact, maxExact);
    }

    protected override byte[]? TakeBloomFilter() => _filter?.Finish();

    protected override void Reset()
    {
        base.Reset();
        _filter?.Clear();
        _dictionary.Clear();
        _indexCount = 0;
        _plain = false;
        _hasBounds = false;
        _min.Trim(PageBytes);
        _max.Trim(PageBytes);
    }

    private static byte[] Repaired(ReadOnlySpan<byte> value) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(value));

    private void AppendIndex(int index)
    {
        Levels.AddValue();
        if (_indexCount == _indexes.Length)
            Array.Resize(ref _indexes, _indexCount * 2);
        _indexes[_indexCount++] = index;
        _lastIndex = index;
        if (_indexCount % Sample == 0 && _dictionary.Count * 2 > _indexCount)
            MakePlain();
        else if (_dictionary.Bytes > MaxDictionaryBytes)
            FlushDictionary();
    }

    private void AppendPlain(ReadOnlySpan<byte> value)
    {
        if (PageValueBytes + value.Length > PageBytes && PageValueBytes > 0)
            FlushPage(PageEncoding.Plain);
        Levels.AddValue();
        Page.AppendPlain(value);
        _filter?.Add(value);
        Bound(value);
    }

    private void MakePlain()
    {
        foreach (var index in _indexes.AsSpan(0, _indexCount))
            Page.AppendPlain(_dictionary[index]);
        BoundDictionary();
        _dictionary.Clear();
        _indexCount = 0;
        _plain = true;
    }

    private void FlushDictionary()
    {
        BoundDictionary();
        WriteDictionaryPage(_dictionary.Plain, _dictionary.Count);
        // Some readers don't take a width of zero bits for a dictionary of one.
        var bitWidth = Math.Max(1, BitOperations.Log2((uint)_dictionary.Count - 1) + 1);
        Page.AppendByte((byte)bitWidth);
        HybridEncoder.Encode(_indexes.AsSpan(0, _indexCount), bitWidth, Page);
        FlushPage(PageEncoding.RleDictionary);
        _indexCount = 0;
        _dictionary.Clear();
        _plain = true;
    }

    private void BoundDictionary()
    {
        for (var i = 0; i < _dictionary.Count; i++)
            Bound(_dictionary[i]);
    }

    private void Bound(ReadOnlySpan<byte> value)
    {
        if (!_hasBounds || value.SequenceCompareTo(_min.Written) < 0)
            Keep(_min, value);
        if (!_hasBounds || value.SequenceCompareTo(_max.Written) > 0)
            Keep(_max, value);
        _hasBounds = true;
    }

    private static void Keep(ByteBuffer buffer, ReadOnlySpan<byte> value)
    {
        buffer.SetLength(0);
        buffer.Append(value);
    }
}

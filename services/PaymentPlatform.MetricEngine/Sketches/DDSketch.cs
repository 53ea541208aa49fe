using System.Buffers;

namespace PaymentPlatform.MetricEngine.Sketches;

/// <summary>
/// Percentiles of values of 0 and above with a relative error of at most 1 %, from counts in bins that grow like the value (DDSketch, Masson and others, VLDB 2019). Counts are exact; merging loses nothing, and equal values give equal bytes, in
/// whatever order and by however many sketches they came. At most <see cref="MaxBins"/> bins, which span seventeen decades: what lies further below the largest value is counted in the lowest bin.
/// </summary>
public sealed class DDSketch
{
    public const int MaxBins = 2_048;

    /// <summary>The bin of the value 0.</summary>
    public const int ZeroBin = -1;

    /// <summary>The bin of the largest value.</summary>
    public const int MaxBin = SketchBins.Max;

    private const byte Version = 1;

    private long[] _counts = [];
    private int _first;
    private long _zero;

    /// <summary>Values added.</summary>
    public long Count { get; private set; }

    private int Top => _first + _counts.Length - 1;

    /// <param name="scaled">The value times 10,000; 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public static int BinOf(Int128 scaled)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(scaled);
        return scaled == 0 ? ZeroBin : SketchBins.Of(scaled);
    }

    /// <inheritdoc cref="BinOf"/>
    public void Add(Int128 scaled) => AddBin(BinOf(scaled), 1);

    /// <param name="bin">Of <see cref="BinOf"/>.</param>
    /// <param name="count">More than 0.</param>
    public void AddBin(int bin, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bin, SketchBins.Max);
        ArgumentOutOfRangeException.ThrowIfLessThan(bin, ZeroBin);
        Count = checked(Count + count);
        if (bin == ZeroBin)
        {
            _zero += count;
            return;
        }

        bin = Reserve(bin);
        _counts[bin - _first] += count;
    }

    public void Merge(DDSketch other)
    {
        // Its highest bin first: the array is then grown once.
        for (var i = other._counts.Length - 1; i >= 0; i--)
        {
            if (other._counts[i] > 0)
                AddBin(other._first + i, other._counts[i]);
        }

        if (other._zero > 0)
            AddBin(ZeroBin, other._zero);
    }

    /// <param name="quantile">0 to 1.</param>
    /// <returns>Within 1 % of the value at the zero-based rank ⌊quantile · (count - 1)⌋, six digits; null while empty. Not scaled any more.</returns>
    public decimal? Quantile(double quantile)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(quantile);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quantile, 1);
        if (Count == 0)
            return null;
        var rank = (long)((decimal)quantile * (Count - 1));
        var seen = _zero;
        if (rank < seen)
            return 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (rank < seen)
                return ToDecimal(SketchBins.ValueOf(_first + i));
        }

        throw new InvalidOperationException("The counts do not add up.");
    }

    /// <summary>Version, zeros, bins that are not empty: how far each lies above the one before, and its count.</summary>
    public byte[] ToBytes()
    {
        var output = new ArrayBufferWriter<byte>(64);
        output.WriteByte(Version);
        output.WriteNumber((ulong)_zero);
        output.WriteNumber((ulong)_counts.Count(c => c > 0));
        var previous = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] == 0)
                continue;
            output.WriteNumber((ulong)(_first + i - previous));
            output.WriteNumber((ulong)_counts[i]);
            previous = _first + i;
        }

        return output.WrittenSpan.ToArray();
    }

    /// <exception cref="SketchFormatException">The bytes are none that <see cref="ToBytes"/> writes.</exception>
    public static DDSketch FromBytes(ReadOnlySpan<byte> bytes)
    {
        var sketch = new DDSketch();
        sketch.MergeBytes(bytes);
        return sketch;
    }

    /// <inheritdoc cref="FromBytes"/>
    public void MergeBytes(ReadOnlySpan<byte> bytes)
    {
        var reader = new SketchReader(bytes, "percentile sketch");
        reader.ReadVersion(Version);
        if (reader.ReadNumber(long.MaxValue - Count) is > 0 and var zeros)
            AddBin(ZeroBin, zeros);
        var bins = reader.ReadCount();
        int first = 0, bin = 0;
        for (var i = 0; i < bins; i++)
        {
            var step = (int)reader.ReadNumber(SketchBins.Max - bin);
            if (i > 0 && step == 0)
                throw reader.Bad("a bin comes twice");
            bin += step;
            if (i == 0)
                first = bin;
            if (bin - first >= MaxBins)
                throw reader.Bad("the bins are too far apart");
            var count = reader.ReadNumber(long.MaxValue - Count);
            if (count == 0)
                throw reader.Bad("a bin is empty");
            AddBin(bin, count);
        }

        reader.End();
    }

    /// <summary>Makes room for the bin.</summary>
    /// <returns>The bin that counts for it: a higher one when it lies too far below the highest. Which bins are collapsed follows from the highest alone, so the order of adding makes no difference.</returns>
    private int Reserve(int bin)
    {
        if (_counts.Length == 0)
        {
            _counts = new long[1];
            _first = bin;
            return bin;
        }

        if (bin >= _first && bin <= Top)
            return bin;
        var top = Math.Max(Top, bin);
        var lowest = top - MaxBins + 1;
        bin = Math.Max(bin, lowest);
        var first = Math.Max(lowest, Math.Min(_first, bin));
        var counts = new long[top - first + 1];
        for (var i = 0; i < _counts.Length; i++)
            counts[Math.Max(0, _first + i - first)] += _counts[i];
        (_counts, _first) = (counts, first);
        return bin;
    }

    private static decimal ToDecimal(double scaled)
    {
        // Six digits are enough for 1 %, and read better.
        var digits = Math.Max(0, 5 - (int)Math.Floor(Math.Log10(scaled)) + 4);
        var value = (decimal)scaled / 10_000m;
        return digits <= 28 ? decimal.Round(value, digits) : value;
    }
}

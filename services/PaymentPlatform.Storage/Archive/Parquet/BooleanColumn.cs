namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Booleans, eight to a byte. Never null here.</summary>
internal sealed class BooleanColumn(ColumnSchema schema, PageCompressor compressor) : ColumnBuilder(schema, compressor)
{
    private bool _anyFalse;
    private bool _anyTrue;

    public void Append(bool value)
    {
        var bit = Levels.Count % 8;
        if (bit == 0)
            Page.AppendByte(0);
        if (value)
            Page.WrittenMutable[^1] |= (byte)(1 << bit);
        Levels.AddValue();
        _anyTrue |= value;
        _anyFalse |= !value;
    }

    protected override ColumnStatistics TakeStatistics() =>
        _anyTrue || _anyFalse ? new([_anyFalse ? (byte)0 : (byte)1], [_anyTrue ? (byte)1 : (byte)0]) : default;

    protected override void Reset()
    {
        base.Reset();
        _anyFalse = _anyTrue = false;
    }
}

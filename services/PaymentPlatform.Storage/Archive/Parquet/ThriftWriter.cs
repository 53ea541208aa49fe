using System.Text;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>
/// Thrift's compact protocol, as far as Parquet's headers and footer need it.
/// <see href="https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md"/>
/// </summary>
internal sealed class ThriftWriter(ByteBuffer output)
{
    private const byte TrueType = 1;
    private const byte FalseType = 2;
    private const byte Int16Type = 4;
    private const byte Int32Type = 5;
    private const byte Int64Type = 6;
    private const byte BinaryType = 8;
    private const byte ListType = 9;
    private const byte StructType = 12;

    private readonly Stack<int> _outer = new();
    private int _lastField;

    /// <summary>Starts the outermost struct, or one that is an element of a list.</summary>
    public ThriftWriter BeginStruct()
    {
        _outer.Push(_lastField);
        _lastField = 0;
        return this;
    }

    public ThriftWriter BeginStruct(int field)
    {
        Header(field, StructType);
        return BeginStruct();
    }

    public void EndStruct()
    {
        output.AppendByte(0);
        _lastField = _outer.Pop();
    }

    /// <summary>A struct without members, as Parquet's unions use them.</summary>
    public void Empty(int field)
    {
        Header(field, StructType);
        output.AppendByte(0);
    }

    public void Bool(int field, bool value) => Header(field, value ? TrueType : FalseType);

    public void Int16(int field, short value)
    {
        Header(field, Int16Type);
        ZigZag(value);
    }

    public void Int32(int field, int value)
    {
        Header(field, Int32Type);
        ZigZag(value);
    }

    public void Int64(int field, long value)
    {
        Header(field, Int64Type);
        ZigZag(value);
    }

    public void Text(int field, string value) => Binary(field, Encoding.UTF8.GetBytes(value));

    public void Binary(int field, ReadOnlySpan<byte> value)
    {
        Header(field, BinaryType);
        output.AppendVarint((uint)value.Length);
        output.Append(value);
    }

    public void BeginStructList(int field, int count) => BeginList(field, count, StructType);

    public void Int32List(int field, ReadOnlySpan<int> values)
    {
        BeginList(field, values.Length, Int32Type);
        foreach (var value in values)
            ZigZag(value);
    }

    public void TextList(int field, string single)
    {
        BeginList(field, 1, BinaryType);
        var value = Encoding.UTF8.GetBytes(single);
        output.AppendVarint((uint)value.Length);
        output.Append(value);
    }

    private void BeginList(int field, int count, byte elementType)
    {
        Header(field, ListType);
        if (count < 15)
        {
            output.AppendByte((byte)((count << 4) | elementType));
            return;
        }

        output.AppendByte((byte)(0xF0 | elementType));
        output.AppendVarint((uint)count);
    }

    private void Header(int field, byte type)
    {
        var delta = field - _lastField;
        _lastField = field;
        if (delta is > 0 and <= 15)
        {
            output.AppendByte((byte)((delta << 4) | type));
            return;
        }

        output.AppendByte(type);
        ZigZag(field);
    }

    private void ZigZag(long value) => output.AppendVarint((ulong)((value << 1) ^ (value >> 63)));
}

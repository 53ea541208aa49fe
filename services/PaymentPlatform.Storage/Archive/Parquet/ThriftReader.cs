namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>
/// Thrift's compact protocol over bytes in memory: the caller takes the fields it knows and skips the others.
/// Every fault is an <see cref="InvalidDataException"/>, whatever the bytes are.
/// </summary>
internal ref struct ThriftReader(ReadOnlySpan<byte> input)
{
    private const int MaxDepth = 32;

    private readonly ReadOnlySpan<byte> _input = input;
    private FieldStack _outer;
    private int _depth;
    private int _lastField;
    private int _type;

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    /// <summary>Enters the outermost struct, the current field's, or the list's next element's; <see cref="NextField"/> leaves it at its end.</summary>
    public void BeginStruct()
    {
        if (_depth == MaxDepth)
            throw Damaged();
        _outer[_depth++] = _lastField;
        _lastField = 0;
    }

    /// <summary>False at the struct's end.</summary>
    public bool NextField(out int field)
    {
        Expect(_depth > 0);
        var header = Byte();
        if (header == 0)
        {
            _lastField = _outer[--_depth];
            field = 0;
            return false;
        }

        _type = header & 15;
        field = header >> 4 == 0 ? (int)ZigZag() : _lastField + (header >> 4);
        _lastField = field;
        return true;
    }

    public int Int32()
    {
        Expect(_type is 4 or 5);
        return (int)ZigZag();
    }

    public long Int64()
    {
        Expect(_type == 6);
        return ZigZag();
    }

    /// <summary>Bytes or a text, of the current field or of a list's element.</summary>
    public ReadOnlySpan<byte> Binary()
    {
        Expect(_type == 8);
        return Take(Varint());
    }

    /// <summary>Enters the current field's list.</summary>
    /// <returns>How many elements follow.</returns>
    public int BeginList()
    {
        Expect(_type == 9);
        var header = Byte();
        _type = header & 15;
        var count = header >> 4 == 15 ? Varint() : (ulong)(header >> 4);
        // An element has a byte at least, except for structs' end.
        Expect(count <= (ulong)(_input.Length - Position));
        return (int)count;
    }

    /// <summary>Passes over the current field's value.</summary>
    public void Skip() => Skip(_type, MaxDepth);

    private void Skip(int type, int depth)
    {
        Expect(depth > 0);
        switch (type)
        {
            case 1 or 2:
                break;
            case 3:
                Take(1);
                break;
            case 4 or 5 or 6:
                Varint();
                break;
            case 7:
                Take(8);
                break;
            case 8:
                Take(Varint());
                break;
            case 9 or 10:
                _type = 9;
                var count = BeginList();
                var element = _type;
                for (var i = 0; i < count; i++)
                {
                    // In a list a boolean takes a byte.
                    if (element is 1 or 2)
                        Take(1);
                    else
                        Skip(element, depth - 1);
                }

                break;
            case 12:
                while (Byte() is var header and not 0)
                {
                    if (header >> 4 == 0)
                        Varint();
                    Skip(header & 15, depth - 1);
                }

                break;
            default:
                throw Damaged();
        }
    }

    private byte Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(ulong count)
    {
        Expect(count <= (ulong)(_input.Length - Position));
        var taken = _input.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        throw Damaged();
    }

    private long ZigZag()
    {
        var value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private static void Expect(bool holds)
    {
        if (!holds)
            throw Damaged();
    }

    private static InvalidDataException Damaged() => new("The Parquet metadata is damaged.");

    [System.Runtime.CompilerServices.InlineArray(MaxDepth)]
    private struct FieldStack
    {
        private int _field;
    }
}

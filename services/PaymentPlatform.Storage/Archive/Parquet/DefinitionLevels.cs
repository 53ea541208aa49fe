using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Which rows of a page have a value. Nothing is stored until the first null.</summary>
internal sealed class DefinitionLevels
{
    private byte[] _bits = [];

    public int Count { get; private set; }

    public int Nulls { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddValue()
    {
        if (Nulls != 0)
            Set(Count);
        Count++;
    }

    public void AddNull()
    {
        if (Nulls == 0)
            StoreEarlierValues();
        Nulls++;
        EnsureRoom(Count);
        Count++;
    }

    /// <summary>The levels as they stand at the start of a data page of version 1: their length in four bytes, then one run.</summary>
    public void Write(ByteBuffer output)
    {
        var start = output.Length;
        output.SetLength(start + sizeof(int));
        if (Nulls == 0 || Nulls == Count)
        {
            output.AppendVarint((uint)Count << 1);
            output.AppendByte(Nulls == 0 ? (byte)1 : (byte)0);
        }
        else
        {
            var groups = (Count + 7) / 8;
            output.AppendVarint(((uint)groups << 1) | 1);
            output.Append(_bits.AsSpan(0, groups));
        }

        BinaryPrimitives.WriteInt32LittleEndian(output.WrittenMutable[start..], output.Length - start - sizeof(int));
    }

    public void Clear()
    {
        if (Nulls != 0)
            Array.Clear(_bits);
        Count = 0;
        Nulls = 0;
    }

    private void StoreEarlierValues()
    {
        EnsureRoom(Count);
        _bits.AsSpan(0, Count / 8).Fill(0xFF);
        _bits[Count / 8] = (byte)((1 << (Count % 8)) - 1);
    }

    private void Set(int row)
    {
        EnsureRoom(row);
        _bits[row / 8] |= (byte)(1 << (row % 8));
    }

    private void EnsureRoom(int row)
    {
        if (row / 8 >= _bits.Length)
            Array.Resize(ref _bits, Math.Max(Math.Max(1024, _bits.Length * 2), (row / 8) + 1));
    }
}

using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>
/// The distinct byte strings of a column chunk, numbered as they come: open addressing over hashes that are computed once and seeded per process,
/// so that senders can't choose colliding values. The strings are held as the dictionary page wants them.
/// </summary>
internal sealed class Utf8Dictionary
{
    private static readonly ulong s_seed1 = Seed();
    private static readonly ulong s_seed2 = Seed();

    private readonly ByteBuffer _plain = new(4096);
    private int[] _slots = new int[512];
    private Entry[] _entries = new Entry[256];

    public int Count { get; private set; }

    /// <summary>The dictionary page's body.</summary>
    public ReadOnlySpan<byte> Plain => _plain.Written;

    public int Bytes => _plain.Length;

    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            var at = _entries[index].Start;
            return _plain.Written.Slice(at + sizeof(int), BinaryPrimitives.ReadInt32LittleEndian(_plain.Written[at..]));
        }
    }

    /// <returns>The value's index, or the complement of the slot to pass to <see cref="Add"/>.</returns>
    public int Find(ReadOnlySpan<byte> value, out uint hash)
    {
        hash = Hash(value);
        var slots = _slots;
        var slot = (int)(hash & (uint)(slots.Length - 1));
        while (true)
        {
            var index = slots[slot] - 1;
            if (index < 0)
                return ~slot;
            if (_entries[index].Hash == hash && this[index].SequenceEqual(value))
                return index;
            slot = (slot + 1) & (slots.Length - 1);
        }
    }

    public int Add(ReadOnlySpan<byte> value, uint hash, int slot)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Count * 2);
        _entries[Count] = new(hash, _plain.Length);
        _plain.AppendPlain(value);
        _slots[slot] = ++Count;
        if (Count * 2 > _slots.Length)
            Rehash();
        return Count - 1;
    }

    public void Clear()
    {
        Array.Clear(_slots);
        Count = 0;
        _plain.Trim(2 * ColumnBuilder.PageBytes);
    }

    private void Rehash()
    {
        _slots = new int[_slots.Length * 2];
        for (var i = 0; i < Count; i++)
        {
            var slot = (int)(_entries[i].Hash & (uint)(_slots.Length - 1));
            while (_slots[slot] != 0)
                slot = (slot + 1) & (_slots.Length - 1);
            _slots[slot] = i + 1;
        }
    }

    /// <summary>Folded multiplication over sixteen bytes at a time, as wyhash does.</summary>
    private static uint Hash(ReadOnlySpan<byte> value)
    {
        ref var p = ref MemoryMarshal.GetReference(value);
        var length = value.Length;
        ulong a, b;
        var seed = s_seed1;
        if (length <= 16)
        {
            if (length >= 8)
            {
                a = Read64(ref p, 0);
                b = Read64(ref p, length - 8);
            }
            else if (length >= 4)
            {
                a = Read32(ref p, 0);
                b = Read32(ref p, length - 4);
            }
            else if (length > 0)
            {
                a = ((ulong)p << 16) | ((ulong)Unsafe.Add(ref p, length >> 1) << 8) | Unsafe.Add(ref p, length - 1);
                b = 0;
            }
            else
            {
                a = b = 0;
            }
        }
        else
        {
            for (var i = 0; i + 16 < length; i += 16)
                seed = Fold(Read64(ref p, i) ^ s_seed2, Read64(ref p, i + 8) ^ seed);
            a = Read64(ref p, length - 16);
            b = Read64(ref p, length - 8);
        }

        var mixed = Fold(s_seed2 ^ (ulong)length, Fold(a ^ s_seed2, b ^ seed));
        return (uint)(mixed ^ (mixed >> 32));
    }

    private static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }

    private static ulong Read64(ref byte p, int at) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref p, at));

    private static uint Read32(ref byte p, int at) => Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref p, at));

    private static ulong Seed()
    {
        ulong seed;
        do
            seed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;
        while (BitOperations.PopCount(seed) is < 24 or > 40);
        return seed;
    }

    private readonly record struct Entry(uint Hash, int Start);
}

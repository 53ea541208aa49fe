using System.Buffers.Binary;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Parquet's hybrid of runs and bit-packed groups of eight, for dictionary indexes.</summary>
internal static class HybridEncoder
{
    private const int ShortestRun = 8;

    public static void Encode(ReadOnlySpan<int> values, int bitWidth, ByteBuffer output)
    {
        var packedFrom = 0;
        var i = 0;
        while (i < values.Length)
        {
            var rest = values[i..];
            var run = rest.IndexOfAnyExcept(rest[0]);
            if (run < 0)
                run = rest.Length;
            var misaligned = (i - packedFrom) % 8;
            if (run < ShortestRun)
            {
                i += run;
            }
            else if (misaligned != 0)
            {
                i += 8 - misaligned;
            }
            else
            {
                Pack(values[packedFrom..i], bitWidth, output);
                Run(rest[0], run, bitWidth, output);
                i += run;
                packedFrom = i;
            }
        }

        Pack(values[packedFrom..], bitWidth, output);
    }

    public static void Run(int value, int count, int bitWidth, ByteBuffer output)
    {
        output.AppendVarint((uint)count << 1);
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        output.Append(bytes[..((bitWidth + 7) / 8)]);
    }

    private static void Pack(ReadOnlySpan<int> values, int bitWidth, ByteBuffer output)
    {
        if (values.IsEmpty)
            return;
        var groups = (values.Length + 7) / 8;
        output.AppendVarint(((uint)groups << 1) | 1);
        var size = groups * bitWidth;
        var span = output.Reserve(size + sizeof(ulong));
        ulong pending = 0;
        var bits = 0;
        var written = 0;
        foreach (var value in values)
        {
            pending |= (ulong)(uint)value << bits;
            bits += bitWidth;
            if (bits < 32)
                continue;
            BinaryPrimitives.WriteUInt32LittleEndian(span[written..], (uint)pending);
            written += sizeof(uint);
            pending >>= 32;
            bits -= 32;
        }

        // The padding of the last group is zeros.
        while (written < size)
        {
            span[written++] = (byte)pending;
            pending >>= 8;
        }

        output.Advance(size);
    }
}

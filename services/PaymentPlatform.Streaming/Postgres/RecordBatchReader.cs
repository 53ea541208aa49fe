using System.Buffers.Binary;
using System.Text;
using ZstdSharp;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Decodes record batches (<see cref="RecordBatchFormat"/>).</summary>
internal static class RecordBatchReader
{
    /// <summary>Checks the payload and unpacks its block.</summary>
    /// <param name="payload">The row's payload.</param>
    /// <param name="block">Where the uncompressed bytes go: exactly as many as the row says.</param>
    /// <returns>The number of messages, and where the header table begins.</returns>
    /// <exception cref="InvalidDataException">The payload is damaged, or of a version that is not known here.</exception>
    public static (int Count, int HeaderTable) Unpack(ReadOnlySpan<byte> payload, Span<byte> block)
    {
        if (payload.Length < RecordBatchFormat.HeaderSize || payload[0] != RecordBatchFormat.Magic)
            throw new InvalidDataException("not a record batch");
        if (payload[1] != RecordBatchFormat.Version)
            throw new InvalidDataException($"format version {payload[1]} is unknown here: it was written by a newer version of PaymentPlatform");
        if (BinaryPrimitives.ReadUInt32LittleEndian(payload[RecordBatchFormat.CrcPosition..]) != Crc32C.Compute(payload[RecordBatchFormat.CountPosition..]))
            throw new InvalidDataException("its checksum is wrong");
        var length = BinaryPrimitives.ReadInt32LittleEndian(payload[RecordBatchFormat.LengthPosition..]);
        if (length != block.Length)
            throw new InvalidDataException($"it holds {length} bytes, its row says {block.Length}");
        var stored = payload[RecordBatchFormat.HeaderSize..];
        switch (payload[2])
        {
            case RecordBatchFormat.CodecNone when stored.Length == length:
                stored.CopyTo(block);
                break;
            case RecordBatchFormat.CodecZstd:
                try
                {
                    if (ZstdCodec.Decompress(stored, block) != length)
                        throw new InvalidDataException("it is shorter than it says");
                }
                catch (ZstdException e)
                {
                    throw new InvalidDataException("it can't be decompressed", e);
                }

                break;
            default:
                throw new InvalidDataException($"codec {payload[2]} is unknown");
        }

        return (BinaryPrimitives.ReadInt32LittleEndian(payload[RecordBatchFormat.CountPosition..]),
            BinaryPrimitives.ReadInt32LittleEndian(payload[RecordBatchFormat.HeaderTablePosition..]));
    }

    /// <summary>Reads the messages of an unpacked block; they point into it.</summary>
    /// <param name="firstOffset">The first message's offset.</param>
    /// <param name="from">Messages below this offset are left out.</param>
    /// <exception cref="InvalidDataException">The block is damaged.</exception>
    public static void Read(
        ReadOnlyMemory<byte> block, int count, int headerTable, long firstOffset, long enqueuedAtMicros, long from, PostgresMessageBatch target)
    {
        try
        {
            var headers = ReadHeaderTable(block.Span[headerTable..]);
            var span = block.Span[..headerTable];
            var position = 0;
            for (var i = 0; i < count; i++)
            {
                var id = ReadVarint(span, ref position);
                var correlation = ReadVarint(span, ref position);
                var key = ReadVarint(span, ref position);
                var body = ReadVarint(span, ref position);
                var set = ReadVarint(span, ref position);
                var next = position + (long)id + correlation + key + body;
                if (next > headerTable)
                    throw new InvalidDataException("a message runs over the end");
                if (firstOffset + i >= from)
                {
                    var message = new Message(
                        block.Slice(position + id + correlation + key, body),
                        block.Slice(position, id),
                        block.Slice(position + id, correlation),
                        block.Slice(position + id + correlation, key),
                        headers[set]);
                    target.Add(new(firstOffset + i, enqueuedAtMicros, message));
                }

                position = (int)next;
            }
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            throw new InvalidDataException("its contents don't fit together", e);
        }
    }

    private static MessageHeaders[] ReadHeaderTable(ReadOnlySpan<byte> table)
    {
        var position = 0;
        var sets = new MessageHeaders[ReadCount(table, ref position) + 1];
        sets[0] = MessageHeaders.Empty;
        for (var i = 1; i < sets.Length; i++)
        {
            var pairs = new KeyValuePair<string, string>[ReadCount(table, ref position)];
            for (var j = 0; j < pairs.Length; j++)
                pairs[j] = new(ReadText(table, ref position), ReadText(table, ref position));
            sets[i] = MessageHeaders.FromSorted(pairs);
        }

        return sets;
    }

    /// <summary>How many entries follow: each takes a byte at least, so that a damaged number never asks for more memory than there is data.</summary>
    private static int ReadCount(ReadOnlySpan<byte> table, ref int position)
    {
        var count = ReadVarint(table, ref position);
        return count <= table.Length - position ? count : throw new InvalidDataException("the header table runs over the end");
    }

    private static string ReadText(ReadOnlySpan<byte> table, ref int position)
    {
        var length = ReadVarint(table, ref position);
        var text = Encoding.UTF8.GetString(table.Slice(position, length));
        position += length;
        return text;
    }

    private static int ReadVarint(ReadOnlySpan<byte> span, ref int position)
    {
        uint value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = span[position++];
            value |= (uint)(b & 0x7f) << shift;
            if (b < 0x80)
                return value <= int.MaxValue ? (int)value : throw new InvalidDataException("a length is negative");
            if (shift > 28)
                throw new InvalidDataException("a length is too long");
        }
    }
}

using System.Buffers;
using System.Text.Json;

namespace PaymentPlatform.Ingest;

/// <summary>What a chunk came to, as it is kept with its idempotency claim so that a repeat is answered in the same words.</summary>
/// <param name="Rejected">JSON text: the listed rejections, separated by commas.</param>
internal readonly record struct ChunkOutcome(long Accepted, long RejectedCount, int Listed, ReadOnlyMemory<byte> Rejected)
{
    /// <param name="room">How many rejections the answer can still list.</param>
    /// <param name="bytes">And how many bytes of their text.</param>
    public static byte[] Write(EventChunk chunk, int room, int bytes)
    {
        var list = new ArrayBufferWriter<byte>();
        var listed = chunk.Rejections.WriteTo(list, room, bytes, separatorFirst: false);
        var output = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteNumber("accepted"u8, chunk.MessageCount);
            json.WriteNumber("rejected_count"u8, chunk.Rejections.Count);
            json.WriteNumber("listed"u8, listed);
            json.WriteBoolean("last"u8, chunk.IsLast);
            json.WriteEndObject();
        }

        // The list goes in as it is: "…}" becomes "…,"rejected":[…]}".
        var document = new ArrayBufferWriter<byte>(output.WrittenCount + list.WrittenCount + 64);
        document.Write(output.WrittenSpan[..^1]);
        document.Write(",\"rejected\":["u8);
        document.Write(list.WrittenSpan);
        document.Write("]}"u8);
        return document.WrittenSpan.ToArray();
    }

    public static ChunkOutcome Read(ReadOnlyMemory<byte> document)
    {
        var reader = new Utf8JsonReader(document.Span);
        long accepted = 0, rejectedCount = 0;
        var listed = 0;
        ReadOnlyMemory<byte> rejected = default;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isAccepted = reader.ValueTextEquals("accepted"u8);
            var isCount = reader.ValueTextEquals("rejected_count"u8);
            var isListed = reader.ValueTextEquals("listed"u8);
            var isRejected = reader.ValueTextEquals("rejected"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            if (isAccepted)
                accepted = reader.GetInt64();
            else if (isCount)
                rejectedCount = reader.GetInt64();
            else if (isListed)
                listed = reader.GetInt32();
            reader.Skip();
            if (isRejected)
                rejected = document[(start + 1)..((int)reader.BytesConsumed - 1)];
        }

        return new(accepted, rejectedCount, listed, rejected);
    }
}

using CsCheck;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Postgres;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Postgres;

public sealed class RecordBatchTests
{
    private static readonly StreamPartition s_partition = new("payments", "log", 0);

    private static readonly Gen<byte[]> s_text = Gen.OneOf(Gen.Const(Array.Empty<byte>()), Gen.Byte.Array[0, 40]);

    private static readonly Gen<MessageHeaders> s_headers = Gen.Select(Gen.String[Gen.Char['a', 'e'], 1, 2], Gen.String[Gen.Char['a', 'ÿ'], 0, 5])
        .Array[0, 3].Select(pairs => new MessageHeaders(pairs.Select(p => new KeyValuePair<string, string>(p.Item1, p.Item2))));

    private static readonly Gen<Message> s_message = Gen.Select(Gen.Byte.Array[0, 300], s_text, s_text, s_text, s_headers)
        .Select(m => new Message(m.Item1, m.Item2, m.Item3, m.Item4, m.Item5));

    [Fact]
    public void Append_AnyMessages_GivesThemBack() => s_message.Array[1, 50].ForEach(1, 300, messages =>
    {
        using var batch = Decode(Encode(messages), 100, 100);
        Assert.Equal(messages.Length, batch.Messages.Length);
        Assert.Equal((100, 100 + messages.Length), (batch.FirstOffset, batch.NextOffset));
        Assert.Equal(messages.Sum(m => (long)m.Body.Length), batch.BodyBytes);
        for (var i = 0; i < messages.Length; i++)
        {
            var (offset, micros, message, _) = batch.Messages[i];
            Assert.Equal((100 + i, 42), (offset, micros));
            Assert.True(messages[i].Body.Span.SequenceEqual(message.Body.Span));
            Assert.True(messages[i].MessageId.Span.SequenceEqual(message.MessageId.Span));
            Assert.True(messages[i].CorrelationId.Span.SequenceEqual(message.CorrelationId.Span));
            Assert.True(messages[i].PartitionKey.Span.SequenceEqual(message.PartitionKey.Span));
            Assert.Equal(messages[i].Headers, message.Headers);
        }
    });

    [Fact]
    public void Append_FromInsideTheBatch_LeavesOutWhatIsBelow()
    {
        using var batch = Decode(Encode(Messages.Numbered(0, 10)), 100, from: 107);

        Assert.Equal([107, 108, 109], batch.Messages.ToArray().Select(m => m.Offset));
        Assert.Equal((107, 110), (batch.FirstOffset, batch.NextOffset));
    }

    [Fact]
    public void Append_AnyByteChanged_ThrowsAndKeepsNothing()
    {
        var whole = Encode([.. Messages.Numbered(0, 5), Messages.Of(new string('x', 500), headers: new MessageHeaders([new("a", "b")]))]);
        var payload = whole.Payload.ToArray();
        for (var i = 0; i < payload.Length; i++)
        {
            // The unused byte is the only one that may differ.
            if (i == 3)
                continue;
            var damaged = payload.ToArray();
            damaged[i] ^= 0x10;
            using var batch = new PostgresMessageBatch(s_partition, 0);
            Assert.Throws<InvalidDataException>(() => batch.Append(damaged, whole.UncompressedBytes, 0, whole.Count, 0));
            Assert.Equal((0, 0, 0, 0), (batch.Messages.Length, batch.NextOffset, batch.BodyBytes, batch.HeldBytes));
        }

        for (var length = 0; length < payload.Length; length++)
        {
            using var batch = new PostgresMessageBatch(s_partition, 0);
            Assert.Throws<InvalidDataException>(() => batch.Append(payload.AsSpan(0, length), whole.UncompressedBytes, 0, whole.Count, 0));
        }
    }

    [Fact]
    public void Append_RandomBytesWithAValidChecksum_ThrowsNothingElse() => Gen.Select(Gen.Byte.Array[0, 60], Gen.Int[0, 100], Gen.Int[0, 100], Gen.Int[0, 100]).ForEach(2, 5_000, x =>
    {
        var (block, count, length, table) = x;
        var payload = new byte[RecordBatchFormat.HeaderSize + block.Length];
        payload[0] = RecordBatchFormat.Magic;
        payload[1] = RecordBatchFormat.Version;
        BitConverter.TryWriteBytes(payload.AsSpan(RecordBatchFormat.CountPosition), count);
        BitConverter.TryWriteBytes(payload.AsSpan(RecordBatchFormat.LengthPosition), count % 2 == 0 ? block.Length : length);
        BitConverter.TryWriteBytes(payload.AsSpan(RecordBatchFormat.HeaderTablePosition), table);
        block.CopyTo(payload, RecordBatchFormat.HeaderSize);
        BitConverter.TryWriteBytes(payload.AsSpan(RecordBatchFormat.CrcPosition), Crc32C.Compute(payload.AsSpan(RecordBatchFormat.CountPosition)));
        using var batch = new PostgresMessageBatch(s_partition, 0);
        try
        {
            batch.Append(payload, block.Length, 0, count, 0);
        }
        catch (InvalidDataException)
        {
        }
    });

    [Fact]
    public void Encode_RealisticEvents_TakesAFractionOfTheSpace()
    {
        var body = """{"transaction_id": "94ad35fd-2a52-4d0e-b52c-9805081aa8d7", "amount": 86.52, "currency": "USD", "payment_method": "debit_card", "payment_status": "completed"}""";
        var encoded = Encode([.. Enumerable.Range(0, 250).Select(i => Messages.Of(body.Replace("86.52", $"{i}.50"), key: $"CUST-{i}", id: $"019a-request-{i}"))]);

        Assert.True(encoded.Size * 5 < encoded.UncompressedBytes, $"{encoded.Size} of {encoded.UncompressedBytes} bytes");
    }

    [Theory]
    [InlineData("", 0x00000000u)]
    [InlineData("123456789", 0xe3069283u)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x22620404u)]
    public void Crc32C_KnownTexts_GiveTheKnownValues(string text, uint expected) => Assert.Equal(expected, Crc32C.Compute(System.Text.Encoding.ASCII.GetBytes(text)));

    // Kafka's own vectors (UtilsTest.testMurmur2).
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Murmur2_KafkasVectors_GiveKafkasValues(string key, int expected) => Assert.Equal(expected, (int)KeyPartitioner.Murmur2(System.Text.Encoding.ASCII.GetBytes(key)));

    private static EncodedBatch Encode(Message[] messages)
    {
        using var builder = new RecordBatchBuilder(0, 0);
        foreach (var message in messages)
            builder.Add(message);
        return builder.Encode();
    }

    private static PostgresMessageBatch Decode(EncodedBatch encoded, long firstOffset, long from)
    {
        var batch = new PostgresMessageBatch(s_partition, from);
        batch.Append(encoded.Payload.Span, encoded.UncompressedBytes, firstOffset, firstOffset + encoded.Count, 42);
        return batch;
    }
}

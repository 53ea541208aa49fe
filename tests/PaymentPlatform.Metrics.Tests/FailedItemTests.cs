using System.Buffers;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Events;
using PaymentPlatform.Metrics;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

public sealed class FailedItemTests(PlatformFixture platform)
{
    [Fact]
    public async Task Run_SeveralErrors_AllOfThemInOneRow()
    {
        const string payload = """{"transaction_id": "t-1", "transaction_timestamp": "yesterday", "amount": -5, "currency": "XXQ", "payment_method": "credit_card", "payment_status": "maybe", "correlation_id": "c-1"}""";
        var row = await FailAsync(Encoding.UTF8.GetBytes(payload), "m-1");

        Assert.Equal("m-1", row.MessageId);
        Assert.Equal("t-1", row.TransactionId);
        Assert.Equal("c-1", row.CorrelationId);
        Assert.Equal(payload, Encoding.UTF8.GetString(row.Payload));
        var errors = JsonDocument.Parse(row.Errors).RootElement.EnumerateArray().ToArray();
        Assert.Equal(["amount", "currency", "payment_status", "transaction_timestamp"], errors.Select(e => e.GetProperty("field").GetString()).Order());
        Assert.All(errors, e => Assert.Equal(["field", "constraint", "expected", "actual", "message"], e.EnumerateObject().Select(p => p.Name).OrderBy(n => Array.IndexOf(["field", "constraint", "expected", "actual", "message"], n))));
        Assert.Equal(errors[0].GetProperty("constraint").GetString(), row.ErrorType);
        Assert.Equal(errors[0].GetProperty("message").GetString(), row.ErrorMessage);
    }

    [Theory]
    [InlineData("{\"correlation_id\": \"own\"}", "message", "id", "own")]
    [InlineData("{}", "message", "id", "message")]
    [InlineData("{}", "", "id", "id")]
    [InlineData("{}", "", "", "log-1-0-0")]
    public void Create_CorrelationIds_TheEventsOwnThenTheMessagesThenItsId(string payload, string correlationId, string messageId, string expected)
    {
        var log = new TestLog(1);
        log.Append(0, Encoding.UTF8.GetBytes(payload), messageId: messageId, correlationId: correlationId);

        Assert.Equal(expected, Assert.Single(MetricsWriterTests.Gather(log).Failed).CorrelationId);
    }

    public static TheoryData<string, byte[]> Garbage => new()
    {
        { "empty", [] },
        { "nul", [0] },
        { "not json", "not json at all"u8.ToArray() },
        { "nul inside", "{\"transaction_id\": \"a\\u0000b\", \"payment_method\": \"x\0y\"}"u8.ToArray() },
        { "invalid utf-8", [.. "{\"transaction_id\": \""u8, 0xFF, 0xC0, 0x80, .. "\"}"u8] },
        { "lone surrogate", "{\"transaction_id\": \"\\uD83D\", \"currency\": \"\\uDE00\"}"u8.ToArray() },
        { "every byte", [.. Enumerable.Range(0, 256).Select(b => (byte)b)] },
        { "huge", [.. "{\"currency\": \""u8, .. Enumerable.Repeat((byte)'x', 3_000_000), .. "\"}"u8] },
        { "unknown field twice over", [.. "{\"\\u0000\": 1, \"amount\": 1, \"amount\": 2, \"currency\": \"😀"u8, .. Enumerable.Repeat("😀"u8.ToArray(), 500).SelectMany(b => b), .. "\"}"u8] },
    };

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task Run_Garbage_KeptByteForByte(string what, byte[] payload)
    {
        var row = await FailAsync(payload, "");

        Assert.True(payload.AsSpan().SequenceEqual(row.Payload), what);
        Assert.Equal("log-1-0-0", row.MessageId);
        Assert.Equal("log-1-0-0", row.CorrelationId);
        Assert.NotEmpty(row.ErrorMessage);
        Assert.NotEqual("internal", row.ErrorType);
    }

    [Fact]
    public async Task Run_CardNumberInAnInvalidEvent_MaskedEverywhere()
    {
        var row = await FailAsync("{\"transaction_id\": \"t\", \"currency\": \"4111111111111111\", \"amount\": \"4111 1111 1111 1111\", \"cvv\": \"123\"}"u8.ToArray(), "");

        Assert.DoesNotContain("41111111", Encoding.UTF8.GetString(row.Payload));
        Assert.DoesNotContain("4111 1111", Encoding.UTF8.GetString(row.Payload));
        Assert.DoesNotContain("1111111111", row.Errors + row.ErrorMessage);
        Assert.DoesNotContain("4111 1111 1111", row.Errors + row.ErrorMessage);
    }

    [Fact]
    public async Task Run_OurOwnCodeThrows_BecomesADeadLetterAndTheStreamGoesOn()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var good = Encoding.UTF8.GetBytes(TestEvents.Event("t", TestEvents.Enqueued, "3"));
        var batch = MetricsDatabase.Batch();
        var log = new TestLog(1);
        log.Append(0, good);
        log.Append(0, "{\"n\": \"4111111111111111\"}"u8.ToArray());
        log.Append(0, good);
        var messages = log.All.Select(m => m.Message).ToArray();
        messages[1] = messages[1] with { Message = messages[1].Message with { Body = new ThrowsOnce(messages[1].Message.Body.ToArray()).Memory } };

        batch.Add(new TestLog.Batch(log.Partitions.Single(), 0, messages), collectLinks: false);

        Assert.Equal(2, batch.Figures.Rows().Single().Count);
        var failed = Assert.Single(batch.Failed);
        Assert.Equal(("internal", 1), (failed.ErrorType, failed.Offset));
        Assert.Equal("{\"n\": \"411111******1111\"}", Encoding.UTF8.GetString(failed.RawPayload));
    }

    private async Task<Row> FailAsync(byte[] payload, string messageId)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = new TestLog(1);
        log.Append(0, payload, messageId: messageId);
        await database.RunAsync(log, new ChaosConsumer(log, database.Source, 1, 0));
        Assert.Empty(await database.FiguresAsync());
        return Assert.Single(await database.QueryAsync(
            "SELECT message_id, transaction_id, correlation_id, error_type, error_message, errors::text, raw_payload FROM failed_items WHERE status = 'pending' AND retry_count = 0 AND stream = 'payments' AND log_id = 'log-1' AND partition_id = 0 AND stream_offset = 0",
            r => new Row(r.GetString(0), r.IsDBNull(1) ? null : r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5), (byte[])r[6])));
    }

    private sealed record Row(string MessageId, string? TransactionId, string CorrelationId, string ErrorType, string ErrorMessage, string Errors, byte[] Payload);

    /// <summary>Stands in for a fault of our own: the first look at the bytes fails.</summary>
    private sealed class ThrowsOnce(byte[] bytes) : MemoryManager<byte>
    {
        private bool _thrown;

        public override Span<byte> GetSpan()
        {
            if (_thrown)
                return bytes;
            _thrown = true;
            throw new InvalidOperationException("A fault of ours.");
        }

        public override Memory<byte> Memory => CreateMemory(bytes.Length);

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}

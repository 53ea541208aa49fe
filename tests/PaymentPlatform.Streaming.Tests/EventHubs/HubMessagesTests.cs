using PaymentPlatform.Streaming.EventHubs;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

public sealed class HubMessagesTests
{
    private static readonly DateTimeOffset s_time = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    [Fact]
    public void Read_OurOwnEvent_GivesBackWhatWasSent()
    {
        var headers = new MessageHeaders([new("origin", "replay"), new("traceparent", "00-1-2-01")]);
        var sent = Messages.Of("{}", key: "ключ", id: "id", correlation: "c", headers: headers);
        var properties = HubMessages.PropertiesOf(sent, new("key"u8.ToArray(), 1003)).ToDictionary(p => p.Key, p => (object)p.Value);

        var received = HubMessages.Read(new(7, s_time, sent.Body, "id", "c", null, properties));

        Assert.Equal(7, received.Offset);
        Assert.Equal(s_time.ToUnixTimeMilliseconds() * 1000, received.EnqueuedAtMicros);
        Assert.Equal(("id", "c", "ключ"), (received.Message.MessageId.Text(), received.Message.CorrelationId.Text(), received.Message.PartitionKey.Text()));
        Assert.Equal(headers, received.Message.Headers);
        Assert.Equal(("key", 1003), (received.Identity.Key.Text(), received.Identity.Index));
    }

    [Fact]
    public void Read_AnotherProducersEvent_KeepsItsKeyAndItsPropertiesAsText()
    {
        var properties = new Dictionary<string, object>
        {
            ["Source-System"] = "pos", ["amount"] = 12.5m, ["retry"] = 3, ["on"] = true, ["at"] = s_time, ["blob"] = new byte[] { 1, 2 }, ["nothing"] = null!, ["id"] = Guid.Empty,
        };

        var received = HubMessages.Read(new(0, s_time, "x"u8.ToArray(), null, null, "customer-1", properties)).Message;

        Assert.Equal("customer-1", received.PartitionKey.Text());
        Assert.True(received.MessageId.IsEmpty);
        Assert.Equal(("pos", "12.5", "3", "True"), (received.Headers["source-system"], received.Headers["amount"], received.Headers["retry"], received.Headers["on"]));
        Assert.Equal(("2026-01-02T03:04:05.6780000+00:00", "AQI=", ""), (received.Headers["at"], received.Headers["blob"], received.Headers["nothing"]));
    }

    [Theory]
    [InlineData("Diagnostic-Id", "traceparent")]
    [InlineData("traceparent", "Diagnostic-Id")]
    public void Read_TraceContextOfTheSdk_StandsInForAMissingOne(string first, string second)
    {
        var own = new Dictionary<string, object> { [first] = first, [second] = second };

        Assert.Equal(new MessageHeaders([new("traceparent", "traceparent")]), HubMessages.Read(new(0, s_time, default, null, null, null, own)).Message.Headers);
        Assert.Equal(new MessageHeaders([new("traceparent", "sdk")]), HubMessages.Read(new(0, s_time, default, null, null, null, new Dictionary<string, object> { ["Diagnostic-Id"] = "sdk" })).Message.Headers);
    }

    [Theory]
    [InlineData("", "3")]
    [InlineData("key", "")]
    [InlineData("key", "-1")]
    [InlineData("key", "many")]
    public void Read_HalfAnIdentity_IsNone(string key, string index)
    {
        var properties = new Dictionary<string, object> { [HeaderNames.IdempotencyKey] = key, [HeaderNames.IdempotencyIndex] = index };

        Assert.Equal(default, HubMessages.Read(new(0, s_time, default, null, null, null, properties)).Identity);
    }

    [Theory]
    [InlineData(MessageIdentity.MaxKeyLength, true)]
    [InlineData(MessageIdentity.MaxKeyLength + 1, false)]
    public void Read_LongKeyOfAnotherProducer_IsTakenOnlyAsLongAsTheDatabaseCanIndexIt(int length, bool taken)
    {
        var properties = new Dictionary<string, object> { [HeaderNames.IdempotencyKey] = new string('ж', length), [HeaderNames.IdempotencyIndex] = "1" };

        Assert.Equal(taken, !HubMessages.Read(new(0, s_time, default, null, null, null, properties)).Identity.Key.IsEmpty);
    }

    [Fact]
    public void Read_KeyWithNul_IsNone()
    {
        var properties = new Dictionary<string, object> { [HeaderNames.IdempotencyKey] = "a\0b", [HeaderNames.IdempotencyIndex] = "1" };

        Assert.Equal(default, HubMessages.Read(new(0, s_time, default, null, null, null, properties)).Identity);
    }

    [Fact]
    public void Read_IndexAsANumber_IsTaken()
    {
        var properties = new Dictionary<string, object> { [HeaderNames.IdempotencyKey] = "key", [HeaderNames.IdempotencyIndex] = 12L };

        Assert.Equal(12, HubMessages.Read(new(0, s_time, default, null, null, null, properties)).Identity.Index);
    }
}

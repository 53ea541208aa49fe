using System.Runtime.CompilerServices;
using System.Text;

namespace PaymentPlatform.Events.Tests;

/// <summary>Alone, because it looks at the memory of the whole process.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    [Theory]
    [InlineData(CardDataMode.Reject)]
    [InlineData(CardDataMode.Mask)]
    public void Parse_ValidEvents_AllocatesNothing(CardDataMode cards)
    {
        byte[][] events =
        [
            Encoding.UTF8.GetBytes(Event.Json(("customer_id", "\"C\""), ("metadata", "{\"a\":[1,2.5,\"x\",null,true,{\"b\":1e3}]}"))),
            Encoding.UTF8.GetBytes(Event.Json(("merchant_name", "\"Caf\\u00e9 \\ud83d\\ude00 und mehr\""), ("amount", "\"12.50\""))),
            Encoding.UTF8.GetBytes(Event.Json(("transaction_timestamp", null), ("timestamp", "\"2025-12-08T12:00:00.123+01:00\""))),
        ];
        var parser = new TransactionParser(new TransactionParserOptions { CardData = cards });
        Assert.All(events, payload => Assert.True(parser.Parse(payload, Event.NowMicros).IsValid));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 3_000; i++)
            parser.Parse(events[i % events.Length], Event.NowMicros);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Parse_HugeEvent_IsNotHeldOnTo()
    {
        var parser = new TransactionParser(new TransactionParserOptions());
        var before = GC.GetTotalMemory(forceFullCollection: true);
        ParseHuge(parser);
        parser.Parse(Encoding.UTF8.GetBytes(Event.Json()), Event.NowMicros);

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 5_000_000);
        GC.KeepAlive(parser);
    }

    /// <summary>A frame of its own, so that no temporary of it is still rooted; arrays, because long strings stay in the pools that build them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ParseHuge(TransactionParser parser)
    {
        var payload = new byte[50_000_000];
        payload.AsSpan().Fill((byte)'x');
        "{\"customer_id\":\"\\u0041"u8.CopyTo(payload);
        "\"}"u8.CopyTo(payload.AsSpan(payload.Length - 2));
        Assert.Equal(Constraints.Size, parser.Parse(payload, Event.NowMicros).Errors[0].Constraint);
    }
}

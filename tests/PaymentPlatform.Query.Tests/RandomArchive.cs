using System.Globalization;
using System.Text;

namespace PaymentPlatform.Query.Tests;

/// <summary>Random events with everything that filters can meet: nulls, non-ASCII, equal times, late ones, invalid ones without a time, replays.</summary>
public static class RandomArchive
{
    public const long Start = 1_767_225_600_000_000; // 2026-01-01T00:00:00Z
    public const long Hour = 3_600_000_000;

    public static readonly string?[] Merchants = [null, "m-1", "m-2", "Müller & Söhne", "商店", "o'brien", "%"];
    public static readonly string?[] Customers = [null, "c-1", "c-2", "c-3", "🙂"];
    public static readonly string[] Statuses = ["completed", "declined", "failed", "timeout", "pending"];
    public static readonly string[] Methods = ["credit_card", "bank_transfer", "cash_equivalent"];
    public static readonly string[] Currencies = ["EUR", "USD", "JPY"];

    /// <summary>Files of one archive; offsets go on from the given one.</summary>
    public static List<List<TestEvent>> Files(Random random, int files, int rows, long firstOffset = 0)
    {
        var result = new List<List<TestEvent>>();
        var offsets = new long[] { firstOffset, firstOffset, firstOffset };
        for (var f = 0; f < files; f++)
        {
            var arrival = Start + (f * Hour / 4);
            result.Add([.. Enumerable.Range(0, rows).Select(i => Event(random, arrival + (i * 900_000_000L / rows), offsets))]);
        }

        return result;
    }

    /// <summary>What <c>/v1/events</c> orders by.</summary>
    public static IEnumerable<TestEvent> InOrder(IEnumerable<TestEvent> events) =>
        events.OrderBy(e => e.Time ?? e.EnqueuedAt).ThenBy(e => e.LogId, StringComparer.Ordinal).ThenBy(e => e.Partition).ThenBy(e => e.Offset);

    private static TestEvent Event(Random random, long enqueuedAt, long[] offsets)
    {
        var partition = random.Next(offsets.Length);
        var isValid = random.Next(10) > 0;
        var hasTime = isValid || random.Next(2) == 0;
        var late = random.Next(50) == 0 ? random.NextInt64(Hour) : random.NextInt64(2_000_000);
        // Whole seconds collide on purpose.
        var time = (enqueuedAt - late) / 1_000_000 * 1_000_000 + (random.Next(3) == 0 ? random.Next(1_000_000) : 0);
        return new()
        {
            TransactionId = random.Next(20) == 0 && !isValid ? null : $"t-{random.Next(400)}",
            Time = hasTime ? time : null,
            Amount = isValid || random.Next(2) == 0 ? (random.Next(1, 1_000_000) / 10000m).ToString(CultureInfo.InvariantCulture) : null,
            Currency = Pick(random, Currencies),
            PaymentMethod = Pick(random, Methods),
            PaymentStatus = Pick(random, Statuses),
            CustomerId = Pick(random, Customers),
            MerchantId = Pick(random, Merchants),
            MessageId = $"{partition}-{offsets[partition]}",
            LogId = random.Next(4) == 0 ? "log-2" : "log-1",
            Partition = partition,
            Offset = offsets[partition]++,
            EnqueuedAt = enqueuedAt,
            IsValid = isValid,
            Errors = isValid ? null : """[{"field":"amount","message":"x"}]""",
            Origin = random.Next(12) == 0 ? "replay" : random.Next(12) == 0 ? "resubmission" : "live",
            RawPayload = Encoding.UTF8.GetBytes($"{{\"i\":{offsets[partition]}}}"),
        };
    }

    public static T Pick<T>(Random random, T[] values) => values[random.Next(values.Length)];
}

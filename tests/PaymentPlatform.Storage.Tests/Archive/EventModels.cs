using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Storage.Tests.Archive;

/// <summary>Events for the tests: all kinds of values, from a seed.</summary>
public static class EventModels
{
    public static readonly Int128 MaxAmount = Int128.Parse("9999999999999999999");

    /// <summary>Microseconds of 0001-01-01 and 9999-12-31T23:59:59.999999.</summary>
    public const long FirstMicros = -62_135_596_800_000_000;

    public const long LastMicros = 253_402_300_799_999_999;

    private static readonly string[] s_awkward =
    [
        "", "a", "Ärger & Söhne", "日本の店", "😀 shop", "\uE000 private", "\uFFFD", "🏦🏦🏦", "tab\tnewline\n", "quote\"'\\", "\u007F\u0080", "zzzz", "nul\0inside",
        new string('x', 64), new string('x', 65), new string('é', 40), string.Concat(Enumerable.Repeat("😀", 17)), "\U0010FFFF" + new string('\uFFFF', 30),
    ];

    public static EventModel[] Mixed(int seed, int count)
    {
        var random = new Random(seed);
        var models = new EventModel[count];
        for (var i = 0; i < count; i++)
            models[i] = Mixed(random, i, count);
        return models;
    }

    /// <summary>Plain events like those of the sample: no nulls to speak of, a payload of about a kilobyte.</summary>
    public static EventModel[] Ordinary(int seed, int count)
    {
        var random = new Random(seed);
        var models = new EventModel[count];
        for (var i = 0; i < count; i++)
        {
            var texts = new string?[EventModel.TextColumns.Length];
            texts[0] = Uuid(random);
            texts[1] = Pick(random, "USD", "EUR", "JPY", "GBP");
            texts[2] = Pick(random, "credit_card", "debit_card", "bank_transfer");
            texts[3] = Pick(random, "completed", "completed", "declined", "failed");
            texts[4] = $"CUST-{random.Next(20_000):X8}";
            texts[5] = $"user{random.Next(20_000)}@example.com";
            texts[6] = Pick(random, "GB", "US", "JP");
            texts[7] = $"MERCH-{random.Next(500):X8}";
            texts[14] = $$"""{"ip_address":"10.{{random.Next(256)}}.{{random.Next(256)}}.1","risk_score":{{random.NextDouble():F3}}}""";
            models[i] = new()
            {
                Texts = texts,
                TimestampMicros = 1_765_000_000_000_000 + (i * 330L) + random.Next(1_000_000),
                Amount = random.Next(1, 10_000_000),
                MessageId = Uuid(random),
                Partition = new("payments", "log-1", i * 4 / count),
                Offset = i,
                EnqueuedAt = 1_765_000_001_000_000 + (i / 500 * 100_000L),
                Payload = Encoding.UTF8.GetBytes($$"""{"transaction_id":"{{texts[0]}}","padding":"{{Convert.ToHexString(RandomBytes(random, 350))}}"}"""),
            };
        }

        return models;
    }

    public static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static EventModel Mixed(Random random, int i, int count)
    {
        var texts = new string?[EventModel.TextColumns.Length];
        for (var column = 0; column < texts.Length; column++)
            texts[column] = Text(random, column, i, count);
        var valid = random.Next(5) != 0;
        return new()
        {
            Texts = texts,
            TimestampMicros = random.Next(8) switch
            {
                0 => null,
                1 => random.NextInt64(FirstMicros, LastMicros + 1),
                2 => -random.NextInt64(1_000_000_000_000),
                _ => 1_765_000_000_000_000 + (i * 1_000_000L) + random.Next(10_000_000),
            },
            Amount = random.Next(8) switch
            {
                0 => null,
                1 => MaxAmount - random.Next(3),
                2 => -(Int128)random.NextInt64(),
                3 => random.Next(-5, 5),
                _ => (i * 1000) + random.Next(3000),
            },
            MessageId = random.Next(10) == 0 ? null : $"message-{i}-{Pick(random, s_awkward)}",
            MessageCorrelationId = random.Next(3) == 0 ? null : $"c-{random.Next(50)}",
            Partition = new(i % 97 == 0 ? "zahlungen-ä" : "payments", random.Next(200) == 0 ? "log-2" : "log-1", i * 4 / count),
            Offset = (i * 3L) + (i % 50 == 0 ? long.MaxValue / 4 : 0),
            EnqueuedAt = 1_765_000_000_000_000 + (i / 100 * 1000L),
            Errors = valid ? [] : [new("amount", "amount_positive", "> 0", Pick(random, null, "-1", "ü\"😀"), "The amount must be positive."), new("", "json", "JSON", null, "Not JSON.")],
            Origin = (EventOrigin)random.Next(3),
            OriginId = random.Next(4) == 0 ? $"replay-{random.Next(3)}" : null,
            Duplicate = random.Next(50) == 0,
            Payload = RandomBytes(random, random.Next(40) == 0 ? 0 : random.Next(200)),
        };
    }

    private static string? Text(Random random, int column, int i, int count) => (column % 5, random.Next(10)) switch
    {
        (_, 0) => null,
        (0, _) => $"id-{i:D6}-{random.Next(1000)}",
        (1, 1) => Pick(random, s_awkward),
        (1, _) => $"group-{i * 20 / count:D2}",
        (2, _) => Pick(random, s_awkward),
        (3, _) => i * 20 / count % 2 == 0 ? null : $"{Pick(random, s_awkward)}{i % 7}",
        _ => $"{(char)('a' + (i * 20 / count))}{new string('é', random.Next(60))}{Pick(random, s_awkward)}",
    };

    private static string Uuid(Random random) => new Guid(RandomBytes(random, 16)).ToString();

    private static T Pick<T>(Random random, params ReadOnlySpan<T> values) => values[random.Next(values.Length)];
}

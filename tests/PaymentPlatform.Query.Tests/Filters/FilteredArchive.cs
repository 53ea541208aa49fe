using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PaymentPlatform.Query.Tests.Filters;

/// <summary>
/// Events of some days around the end of a year, made by a seed: many exactly on an hour or a day, a microsecond beside it or beside each other, some days late;
/// repeats, replays, invalid ones, texts that only look alike, amounts next to each other.
/// </summary>
internal sealed class FilteredArchive
{
    public const long Day = 24 * RandomArchive.Hour;
    public const long Start = RandomArchive.Start - (2 * Day);
    public const int Days = 4;
    private const int FilesPerHour = 2;
    private const int Rows = 90;

    // Two ways to write é, and what LIKE, SQL, URLs and trimming could take for something else.
    public static readonly string?[] Merchants = [null, "m-1", "M-1", "m-1 ", "m_1", "%", "Müller & Söhne", "caf\u00e9", "cafe\u0301", "商店", "o'brien", "a\"b\\c", "x=1&y=2+3", "🙂", "' OR 1=1 --"];
    public static readonly string?[] Customers = [null, "c-1", "c-2", "c-3", "$from", "ſ", "s", "İ"];
    public static readonly string[] Statuses = ["completed", "declined", "failed", "timeout", "pending"];
    public static readonly string[] Methods = ["credit_card", "bank_transfer", "paiement à la livraison"];
    public static readonly string[] Currencies = ["EUR", "USD", "JPY"];
    public static readonly string[] Origins = ["live", "resubmission", "replay"];

    private static readonly int[] ActiveHours = [0, 1, 11, 12, 22, 23];
    private static readonly string[] Amounts = ["10", "10.0000", "10.0001", "9.9999", "0.0001", "999999999999999.9999", "123456789012345.6789"];

    private readonly Random _random;
    private readonly Dictionary<(string LogId, int Partition), long> _offsets = [];
    private readonly List<TestEvent> _all = [];

    public FilteredArchive(int seed)
    {
        _random = new(seed);
        for (var day = 0; day < Days; day++)
        {
            foreach (var hour in ActiveHours)
            {
                for (var file = 0; file < FilesPerHour; file++)
                    Files.Add(File(Start + (day * Day) + (hour * RandomArchive.Hour) + (file * RandomArchive.Hour / FilesPerHour)));
            }
        }
    }

    public List<List<TestEvent>> Files { get; } = [];

    public IReadOnlyList<TestEvent> All => _all;

    private List<TestEvent> File(long from)
    {
        // Only some files reach far back, so that the manifest has something to leave out.
        var late = _random.Next(6) == 0;
        var events = new List<TestEvent>();
        for (var row = 0; row < Rows; row++)
        {
            events.Add(Event(from + (row * RandomArchive.Hour / FilesPerHour / Rows), late));
            _all.Add(events[^1]);
        }

        return events;
    }

    private TestEvent Event(long enqueuedAt, bool late)
    {
        var time = _random.Next(late ? 10 : 6) switch
        {
            0 => enqueuedAt / 1_000_000 * 1_000_000,
            1 => (enqueuedAt / RandomArchive.Hour * RandomArchive.Hour) + _random.Next(-1, 2),
            2 when _all.Count > 0 => _all[_random.Next(Math.Max(0, _all.Count - 100), _all.Count)] is { Time: { } near } ? near + _random.Next(-1, 2) : enqueuedAt,
            6 or 7 => ((enqueuedAt / Day) - _random.Next(3)) * Day + _random.Next(-1, 2),
            8 => enqueuedAt - _random.NextInt64(3 * Day),
            _ => enqueuedAt - _random.NextInt64(2_000_000),
        };
        var partition = (LogId: _random.Next(4) == 0 ? "log-2" : "log-1", Partition: _random.Next(3));
        var offset = _offsets.GetValueOrDefault(partition);
        _offsets[partition] = offset + 1;
        var e = new TestEvent
        {
            TransactionId = $"t-{_random.Next(1000)}",
            Time = Math.Min(time, enqueuedAt),
            Amount = _random.Next(3) == 0 ? RandomArchive.Pick(_random, Amounts) : (_random.Next(1, 1_000_000) / 10000m).ToString(CultureInfo.InvariantCulture),
            Currency = RandomArchive.Pick(_random, Currencies),
            PaymentMethod = RandomArchive.Pick(_random, Methods),
            PaymentStatus = RandomArchive.Pick(_random, Statuses),
            CustomerId = RandomArchive.Pick(_random, Customers),
            MerchantId = RandomArchive.Pick(_random, Merchants),
            MessageId = $"{partition.LogId}/{partition.Partition}/{offset}",
            LogId = partition.LogId,
            Partition = partition.Partition,
            Offset = offset,
            EnqueuedAt = enqueuedAt,
            Origin = _random.Next(8) == 0 ? RandomArchive.Pick(_random, Origins) : "live",
            IsDuplicate = _random.Next(15) == 0,
        };
        return _random.Next(30) switch
        {
            // Of a field with an error nothing is kept, but for an amount that is only not positive.
            0 => Invalid(e with { Amount = "-" + e.Amount }),
            1 => Invalid(e with { Time = null }),
            2 => Invalid(e with { Amount = null }),
            3 => Invalid(new TestEvent { MessageId = e.MessageId, LogId = e.LogId, Partition = e.Partition, Offset = offset, EnqueuedAt = enqueuedAt, Origin = e.Origin, IsDuplicate = e.IsDuplicate, Currency = null, PaymentMethod = null, PaymentStatus = null }),
            _ => e with { RawPayload = Payload(e) },
        };
    }

    private TestEvent Invalid(TestEvent e) => e with
    {
        IsValid = false,
        Errors = """[{"field":"x","message":"x"}]""",
        RawPayload = e.Currency is not null ? Payload(e) : _random.Next(2) == 0 ? [0xff, 0xfe, 0x00, (byte)e.Offset] : Encoding.UTF8.GetBytes($"not json \"{e.Offset}\",\r\n=1"),
    };

    private byte[] Payload(TestEvent e)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = _random.Next(2) == 0 ? null : System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = _random.Next(10) == 0 }))
        {
            writer.WriteStartObject();
            writer.WriteString("transaction_id", e.TransactionId);
            writer.WriteString("transaction_timestamp", e.Time is { } time ? Timestamps.ToDateTime(time).ToString(Timestamps.Format, CultureInfo.InvariantCulture) : "2025-02-30T00:00:00Z");
            writer.WritePropertyName("amount");
            writer.WriteRawValue(e.Amount ?? "\"?\"");
            writer.WriteString("currency", e.Currency);
            writer.WriteString("payment_method", e.PaymentMethod);
            writer.WriteString("payment_status", e.PaymentStatus);
            writer.WriteString("customer_id", e.CustomerId);
            writer.WriteString("merchant_id", e.MerchantId);
            writer.WriteString("note", e.MessageId);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }
}

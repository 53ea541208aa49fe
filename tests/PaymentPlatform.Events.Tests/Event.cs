using System.Globalization;
using System.Text;

namespace PaymentPlatform.Events.Tests;

/// <summary>Writes events for tests: a valid one, with fields added, replaced or left out. Values are raw JSON.</summary>
internal static class Event
{
    public const string Now = "2025-12-08T12:00:00Z";

    public static readonly long NowMicros = Micros("2025-12-08 12:00:00");

    private static readonly (string Name, string Value)[] Valid =
    [
        ("transaction_id", "\"tx-1\""), ("transaction_timestamp", $"\"{Now}\""), ("amount", "12.50"), ("currency", "\"EUR\""),
        ("payment_method", "\"credit_card\""), ("payment_status", "\"completed\""),
    ];

    public static string Json(params (string Name, string? Value)[] changes)
    {
        var fields = Valid.Where(field => !changes.Any(change => change.Name == field.Name)).Select(field => (field.Name, Value: (string?)field.Value))
            .Concat(changes.Where(change => change.Value is not null));
        return $"{{{string.Join(",", fields.Select(field => $"\"{field.Name}\":{field.Value}"))}}}";
    }

    /// <summary>Parses with a parser of its own, so that results can be compared.</summary>
    public static ParseResult Parse(string json, CardDataMode cards = CardDataMode.Reject) => Parse(Encoding.UTF8.GetBytes(json), cards);

    public static ParseResult Parse(byte[] payload, CardDataMode cards = CardDataMode.Reject) =>
        new TransactionParser(new TransactionParserOptions { CardData = cards }).Parse(payload, NowMicros);

    public static ParseResult ParseWith(params (string Name, string? Value)[] changes) => Parse(Json(changes));

    public static ValidationError SingleError(params (string Name, string? Value)[] changes) => Assert.Single(ParseWith(changes).Errors);

    public static long Micros(string utc) =>
        (DateTime.Parse(utc, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public static string Text(this ReadOnlyMemory<byte> payload) => Encoding.UTF8.GetString(payload.Span);
}

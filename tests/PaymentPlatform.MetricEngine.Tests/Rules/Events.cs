using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PaymentPlatform.Events;

namespace PaymentPlatform.MetricEngine.Tests.Rules;

/// <summary>Valid events to change in the place that a test is about.</summary>
internal static class Events
{
    /// <summary>2025-12-01T00:00:00Z.</summary>
    public const long Start = 1_764_547_200_000_000;
    public const long Second = 1_000_000;

    private const long Later = Start + 365L * 86_400 * Second;

    public static JsonObject Object(long micros = Start) => new()
    {
        ["transaction_id"] = "tx-1",
        ["transaction_timestamp"] = Time(micros),
        ["amount"] = 100.5m,
        ["currency"] = "USD",
        ["payment_method"] = "credit_card",
        ["payment_status"] = "completed",
        ["customer_id"] = "CUST-1",
        ["customer_email"] = "who@example.org",
        ["customer_country"] = "US",
        ["merchant_id"] = "MERCH-1",
        ["transaction_type"] = "payment",
        ["metadata"] = new JsonObject
        {
            ["card_last4"] = "1234",
            ["card_brand"] = "Visa",
            ["3ds_verified"] = true,
            ["risk_score"] = 0.25m,
            ["fraud_indicators"] = new JsonArray("a", "b"),
            ["nested"] = new JsonObject { ["text"] = "in \"quotes\"", ["nothing"] = null },
        },
        ["store"] = new JsonObject { ["country"] = "US", ["number"] = 7 },
    };

    /// <param name="fields">JSON whose fields replace those of the event.</param>
    public static byte[] With(string fields, long micros = Start)
    {
        var e = Object(micros);
        foreach (var (name, value) in JsonNode.Parse(fields)!.AsObject())
            e[name] = value?.DeepClone();
        return Encoding.UTF8.GetBytes(e.ToJsonString(new JsonSerializerOptions()));
    }

    public static ParseResult Parse(byte[] payload, CardDataMode mode = CardDataMode.Mask)
    {
        var result = new TransactionParser(new() { CardData = mode }).Parse(payload, Later);
        Assert.Empty(result.Errors);
        return result;
    }

    private static string Time(long micros) => DateTime.UnixEpoch.AddTicks(micros * 10).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}

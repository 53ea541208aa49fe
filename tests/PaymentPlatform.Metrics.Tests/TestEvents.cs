using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PaymentPlatform.Metrics.Tests;

/// <summary>Payment events of a few keys and windows, good and bad, from a seed; and the model that figures are checked against.</summary>
internal static class TestEvents
{
    public static readonly DateTimeOffset Enqueued = new(2025, 12, 8, 12, 0, 0, TimeSpan.Zero);

    private static readonly string[] Methods = ["credit_card", "debit_card", "bank_transfer", "pay-später", "现金"];
    private static readonly string[] Currencies = ["USD", "EUR", "JPY"];
    private static readonly string[] Countries = ["DE", "us", "JP", "", "ZZ", "Germany"];
    private static readonly string[] Statuses = ["completed", "success", "declined", "pending", "refunded"];

    public static long EnqueuedMicros => (Enqueued - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>One event in ten is invalid, one in ten late by up to days.</summary>
    public static byte[] Next(Random random)
    {
        var age = random.Next(10) == 0 ? TimeSpan.FromMinutes(random.Next(10_000)) : TimeSpan.FromSeconds(random.Next(900));
        var text = Event(
            $"tx-{random.Next(1_000_000_000)}", Enqueued - age, (random.Next(1, 1_000_000_000) / 10_000m).ToString(CultureInfo.InvariantCulture),
            Methods[random.Next(Methods.Length)], Currencies[random.Next(Currencies.Length)], Statuses[random.Next(Statuses.Length)],
            $$"""{{(random.Next(8) == 0 ? "" : $"\"customer_id\": \"C{random.Next(300)}\", ")}}"merchant_id": "M{{random.Next(40)}}", "customer_country": "{{Countries[random.Next(Countries.Length)]}}" """);
        return random.Next(10) switch
        {
            0 when random.Next(2) == 0 => Encoding.UTF8.GetBytes(text[..random.Next(text.Length)]),
            0 => Encoding.UTF8.GetBytes(text.Replace("\"amount\": ", "\"amount\": -")),
            _ => Encoding.UTF8.GetBytes(text),
        };
    }

    public static string Event(string id, DateTimeOffset at, string amount, string method = "credit_card", string currency = "USD", string status = "completed", string more = """
        "customer_id": "C1"
        """) =>
        $$"""{"transaction_id": "{{id}}", "transaction_timestamp": "{{at.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffff}}Z", "amount": {{amount}}, "currency": "{{currency}}", "payment_method": "{{method}}", "payment_status": "{{status}}", {{more}}}""";

    /// <summary>The figures by plain LINQ over decimal: shares no code with what it checks.</summary>
    public static List<Figure> Figures(IEnumerable<byte[]> payloads) =>
    [
        .. payloads.Select(Read).OfType<(DateTime Window, string Method, string Currency, string Status, decimal Amount)>()
            .GroupBy(e => (e.Window, e.Method, e.Currency, e.Status))
            .Select(g => new Figure(g.Key.Window, g.Key.Method, g.Key.Currency, g.Key.Status, g.LongCount(), g.Sum(e => e.Amount), g.Min(e => e.Amount), g.Max(e => e.Amount)))
            .Order(),
    ];

    private static (DateTime, string, string, string, decimal)? Read(byte[] payload)
    {
        try
        {
            using var document = JsonDocument.Parse(payload);
            var e = document.RootElement;
            var at = e.GetProperty("transaction_timestamp").GetDateTimeOffset().UtcDateTime;
            var amount = e.GetProperty("amount").GetDecimal();
            var status = e.GetProperty("payment_status").GetString()!;
            if (amount <= 0)
                return null;
            return (new(at.Ticks - at.Ticks % TimeSpan.FromMinutes(5).Ticks, DateTimeKind.Utc), e.GetProperty("payment_method").GetString()!, e.GetProperty("currency").GetString()!, status == "success" ? "completed" : status, amount);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

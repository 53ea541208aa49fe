using System.Globalization;
using System.Text;

namespace PaymentPlatform.Bench.Parse;

/// <summary>Events to parse: the lines of a file, or generated ones of about 1 kB that look like those of the original simulator.</summary>
internal static class SampleEvents
{
    /// <summary>Later than any of the events.</summary>
    public static readonly long EnqueuedAtMicros = (DateTime.UnixEpoch.AddYears(60) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static readonly string[] Methods = ["credit_card", "debit_card", "bank_transfer", "digital_wallet", "cryptocurrency", "cash_equivalent"];
    private static readonly string[] Statuses = ["completed", "completed", "completed", "completed", "declined", "failed", "timeout", "pending"];
    private static readonly string[] Currencies = ["USD", "USD", "USD", "EUR", "GBP", "JPY"];
    private static readonly string[] Merchants = ["Luna, Hernandez and Schwartz", "Bentley-Terry", "Cunningham Inc", "Café Zürich", "O'Neil & Sons"];
    private static readonly string[] Agents =
    [
        "Mozilla/5.0 (Linux; Android 7.1) AppleWebKit/532.0 (KHTML, like Gecko) Chrome/60.0.814.0 Safari/532.0",
        "Mozilla/5.0 (Windows NT 5.0; iu-CA; rv:1.9.2.20) Gecko/3138-02-09 09:57:26.584717 Firefox/3.6.10",
        "Opera/9.50.(Windows CE; wal-ET) Presto/2.9.181 Version/12.00",
    ];

    public static byte[][] Load(string? file, int count)
    {
        var lines = file is null ? Generate(count) : [.. File.ReadLines(file).Where(line => line.Length > 0).Select(Encoding.UTF8.GetBytes)];
        return [.. Enumerable.Range(0, count).Select(i => lines[i % lines.Length])];
    }

    private static byte[][] Generate(int count)
    {
        var random = new Random(20251208);
        return [.. Enumerable.Range(0, count).Select(_ => Encoding.UTF8.GetBytes(Event(random)))];
    }

    private static string Event(Random random)
    {
        var id = new byte[16];
        random.NextBytes(id);
        var time = new DateTime(2025, 12, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(random.Next(2_000_000));
        return string.Create(CultureInfo.InvariantCulture, $$"""
            {"transaction_id": "{{new Guid(id)}}", "transaction_timestamp": "{{time:yyyy-MM-dd'T'HH:mm:ss}}", "ingestion_timestamp": null, "processing_timestamp": null, "amount": {{random.Next(100, 100_000) / 100m}}, "currency": "{{Pick(Currencies)}}", "payment_method": "{{Pick(Methods)}}", "payment_status": "{{Pick(Statuses)}}", "customer_id": "CUST-{{random.Next():X8}}", "customer_email": "customer{{random.Next(100_000)}}@example.org", "customer_country": "GB", "merchant_id": "MERCH-{{random.Next():X8}}", "merchant_name": "{{Pick(Merchants)}}", "merchant_category": "technology", "transaction_type": "payment", "channel": "mobile", "device_type": "desktop", "metadata": {"ip_address": "{{random.Next(1, 255)}}.{{random.Next(255)}}.62.86", "user_agent": "{{Pick(Agents)}}", "card_last4": "{{random.Next(10_000):0000}}", "card_brand": "Discover", "cvv_provided": {{(random.Next(2) == 0 ? "true" : "false")}}, "3ds_verified": true, "risk_score": {{random.Next(1000) / 1000m}}, "fraud_indicators": ["device_fingerprint_mismatch", "high_risk_country", "velocity_check_failed"]}, "compliance_violations": [], "violation_severity": null, "note": "{{new string('x', random.Next(20, 140))}}"}
            """);

        string Pick(string[] values) => values[random.Next(values.Length)];
    }
}

using System.Text;

namespace PaymentPlatform.Ingest.Tests;

/// <summary>Bodies to send.</summary>
internal static class TestEvents
{
    public static string Valid(int i, string? extra = null) =>
        $$"""{"transaction_id":"tx-{{i}}","transaction_timestamp":"2025-12-08T12:42:14Z","amount":{{i % 1000}}.25,"currency":"USD","payment_method":"credit_card","payment_status":"completed","customer_id":"CUST-{{i % 100}}"{{extra}}}"""
            .Replace("\"amount\":0.25", "\"amount\":1.25");

    public static string Invalid(int i) => Valid(i).Replace("USD", "ZZZ");

    public static string Lines(int from, int count) => Lines(Enumerable.Range(from, count));

    public static string Lines(IEnumerable<int> numbers) => string.Concat(numbers.Select(i => Valid(i) + "\n"));

    public static string CloudEvent(string id, string data, string source = "/pos/1") =>
        $$"""{"specversion":"1.0","id":"{{id}}","source":"{{source}}","type":"payment.transaction","datacontenttype":"application/json","data":{{data}}}""";

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}

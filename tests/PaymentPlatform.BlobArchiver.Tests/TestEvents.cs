namespace PaymentPlatform.BlobArchiver.Tests;

internal static class TestEvents
{
    /// <summary>A valid event; <paramref name="bytes"/> is its least size.</summary>
    public static string Json(string transactionId, int bytes = 0)
    {
        var json = $$"""{"transaction_id":"{{transactionId}}","transaction_timestamp":"2025-12-05T14:00:00Z","amount":12.34,"currency":"EUR","payment_method":"credit_card","payment_status":"completed","customer_id":"c-1"}""";
        return json.Length >= bytes ? json : $"{json[..^1]},\"metadata\":{{\"pad\":\"{new string('x', bytes - json.Length)}\"}}}}";
    }
}

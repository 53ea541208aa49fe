using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PaymentPlatform.Events.Tests;

/// <summary>The rules once more, written for clarity over JsonDocument, decimal and DateTimeOffset: what the fast parser has to agree with. Knows no card data.</summary>
internal static partial class SlowModel
{
    private static readonly string[] Texts =
    [
        "transaction_id", "transaction_timestamp", "currency", "payment_method", "payment_status", "customer_id", "customer_email", "customer_country", "merchant_id",
        "merchant_name", "merchant_category", "transaction_type", "channel", "device_type", "correlation_id", "violation_severity",
    ];

    private static readonly string[] Required = ["transaction_id", "transaction_timestamp", "amount", "currency", "payment_method", "payment_status"];

    private static readonly string[] Statuses = ["completed", "success", "declined", "failed", "timeout", "error", "pending", "cancelled", "refunded"];

    private static readonly string[] Currencies = ["EUR", "USD", "JPY", "GBP", "CAD", "AUD", "BHD", "CHF"];

    /// <returns>Each error as "name constraint" in the order of the alphabet.</returns>
    public static List<string> Errors(string json, long nowMicros)
    {
        var errors = new List<string>();
        var seen = new HashSet<string>();
        var repeated = new HashSet<string>();
        using var document = JsonDocument.Parse(json);
        foreach (var property in document.RootElement.EnumerateObject())
        {
            var name = property.Name switch { "timestamp" => "transaction_timestamp", "status" => "payment_status", var other => other };
            if (!Texts.Contains(name) && name is not ("amount" or "metadata" or "compliance_violations"))
                continue;
            if (seen.Add(name))
                errors.AddRange(Check(name, property.Value, nowMicros).Select(constraint => $"{name} {constraint}"));
            else if (repeated.Add(name))
                errors.Add($"{name} duplicate");
        }

        errors.AddRange(Required.Except(seen).Select(name => $"{name} required"));
        errors.Sort(StringComparer.Ordinal);
        return errors;
    }

    private static IEnumerable<string> Check(string name, JsonElement value, long nowMicros)
    {
        if (Required.Contains(name) && (value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.String && value.GetString() == "")))
            return ["required"];
        if (value.ValueKind == JsonValueKind.Null)
            return [];
        return name switch
        {
            "metadata" => value.ValueKind == JsonValueKind.Object ? [] : ["type"],
            "compliance_violations" => value.ValueKind == JsonValueKind.Array ? [] : ["type"],
            "amount" => Amount(value),
            _ when value.ValueKind != JsonValueKind.String => ["type"],
            "currency" => Currencies.Contains(value.GetString()) ? [] : ["currency"],
            "payment_status" => Statuses.Contains(value.GetString()) ? [] : ["status"],
            "transaction_timestamp" => Timestamp(value.GetString()!, nowMicros),
            _ => [],
        };
    }

    private static IEnumerable<string> Amount(JsonElement value)
    {
        var text = value.ValueKind switch { JsonValueKind.Number => value.GetRawText(), JsonValueKind.String => value.GetString()!, _ => "" };
        if (!JsonNumber().IsMatch(text) || !decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var amount))
            return ["type"];

        List<string> errors = [];
        if (decimal.Round(amount, 4) != amount || Math.Abs(amount) > 999_999_999_999_999.9999m)
            errors.Add("amount_range");
        if (amount <= 0)
            errors.Add("amount_positive");
        return errors;
    }

    private static IEnumerable<string> Timestamp(string text, long nowMicros)
    {
        var match = IsoTime().Match(text);
        var normal = $"{match.Groups["date"]}T{match.Groups["time"]}{(match.Groups["zone"].Value is "" or "Z" ? "+00:00" : match.Groups["zone"])}";
        if (!match.Success || !DateTimeOffset.TryParseExact(normal, "yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            return ["timestamp"];
        var fraction = match.Groups["fraction"].Value.PadRight(6, '0')[..6];
        var micros = (time.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond + int.Parse(fraction, CultureInfo.InvariantCulture);
        return micros > nowMicros + 300_000_000 ? ["timestamp_future"] : [];
    }

    [GeneratedRegex(@"\A-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z")]
    private static partial Regex JsonNumber();

    [GeneratedRegex(@"\A(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(\.(?<fraction>[0-9]{1,9}))?(?<zone>Z|[+-][0-9]{2}:[0-9]{2})?\z")]
    private static partial Regex IsoTime();
}

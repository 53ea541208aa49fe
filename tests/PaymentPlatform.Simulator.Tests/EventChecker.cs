using System.Text.Json;
using System.Text.RegularExpressions;
using PaymentPlatform.Events;

namespace PaymentPlatform.Simulator.Tests;

/// <summary>Knows the patterns' definitions and nothing of the generator.</summary>
internal sealed partial class EventChecker
{
    private static readonly Dictionary<string, decimal> Thresholds = new() { ["USD"] = 10_000, ["EUR"] = 10_000, ["GBP"] = 10_000, ["JPY"] = 1_500_000, ["CAD"] = 14_000, ["AUD"] = 15_000 };

    private static readonly Dictionary<string, string> DataQuality = new()
    {
        [Constraints.Currency] = "invalid_currency", [Constraints.Status] = "invalid_status", [Constraints.TimestampFuture] = "future_timestamp",
        [Constraints.Required] = "missing_transaction_id", [Constraints.Json] = "truncated_json", [Constraints.CardData] = "full_card_number",
    };

    // Later than any event of the runs, and decades before those of the future.
    private static readonly long Now = new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1_000;

    private readonly TransactionParser _parser = new(new());

    public static decimal Threshold(string currency) => Thresholds[currency];

    public CheckedEvent Read(long number, byte[] line)
    {
        var parsed = _parser.Parse(line, Now);
        if (!parsed.IsValid)
        {
            var error = parsed.Errors[0];
            var refused = new CheckedEvent(number, false, null, 0, 0, null, null, null, null, null, null, null);
            refused.Patterns.Add(parsed.Errors.Count > 1 ? "several errors"
                : error.Constraint == Constraints.AmountPositive ? error.Actual!.StartsWith('-') ? "negative_amount" : "zero_amount"
                : DataQuality[error.Constraint]);
            return refused;
        }

        using var json = JsonDocument.Parse(line);
        var e = json.RootElement;
        var metadata = e.GetProperty("metadata");
        string? Text(string name) => e.GetProperty(name).GetString();
        var found = new CheckedEvent(
            number, true, Text("transaction_id"), parsed.Transaction.TransactionTimestampMicros!.Value, e.GetProperty("amount").GetDecimal(), Text("currency"), Text("payment_method"), Text("payment_status"),
            Text("customer_id"), Text("customer_country"), Text("merchant_category"), Text("transaction_type"));
        void When(bool matches, string pattern)
        {
            if (matches)
                found.Patterns.Add(pattern);
        }

        When(found.Amount > Threshold(found.Currency!), "large_amount");
        When(found.Customer is null, "missing_customer_id");
        When(!Email().IsMatch(Text("customer_email")!), "invalid_email");
        When(found.Country is null, "missing_country");
        var (isCard, brand) = (found.Method is "credit_card" or "debit_card", metadata.GetProperty("card_brand").GetString());
        When(isCard && (brand is null || metadata.GetProperty("card_last4").GetString() is null), "card_data_missing");
        When(brand is not (null or "Visa" or "Mastercard" or "Amex" or "Discover"), "unknown_card_brand");
        When((found.Type == "refund") != (found.Status == "refunded"), "status_mismatch");
        When(metadata.GetProperty("risk_score").GetDecimal() > 0.8m, "high_risk_score");
        When(metadata.GetProperty("fraud_indicators").GetArrayLength() >= 3, "fraud_indicators");
        When(metadata.GetProperty("fraud_indicators").GetArrayLength() is 1 or 2, "a few fraud indicators");
        return found;
    }

    /// <summary>Events by pattern: those that match alone, and those that match only together.</summary>
    public static ILookup<string, long> Matches(IReadOnlyList<CheckedEvent> events)
    {
        var valid = events.Where(e => e.IsValid).ToList();
        IEnumerable<(string Pattern, long Number)> alone = events.SelectMany(e => e.Patterns.Select(p => (p, e.Number)));
        var byCustomer = valid.Where(e => e.Customer is not null).GroupBy(e => e.Customer).Select(g => g.OrderBy(e => e.Micros).ThenBy(e => e.Number).ToList()).ToList();
        var structuring = byCustomer.SelectMany(customer => Dense([.. customer.Where(e => e.Amount >= 0.9m * Threshold(e.Currency!) && e.Amount < Threshold(e.Currency!))], 3, TimeSpan.FromHours(1)));
        var rapidFire = byCustomer.SelectMany(customer => Dense(customer, 100, TimeSpan.FromMinutes(1)));
        var payments = valid.GroupBy(e => e.Id).Select(g => g.ToList()).ToList();
        var refunds = payments.SelectMany(p => p.Where((e, i) => (e.Type == "refund" || e.Status == "refunded") && !p.Take(i).Any(earlier => earlier.Status == "completed" && earlier.Micros <= e.Micros)));
        var currencies = payments.Where(p => p.Select(e => e.Currency).Distinct().Count() > 1).SelectMany(p => p);
        return alone
            .Concat(structuring.Select(e => ("structuring", e.Number))).Concat(rapidFire.Select(e => ("rapid_fire", e.Number)))
            .Concat(refunds.Select(e => ("refund_without_payment", e.Number))).Concat(currencies.Select(e => ("currency_mismatch", e.Number)))
            .ToLookup(m => m.Item1, m => m.Item2);
    }

    /// <summary>Events that are in some window with so many others.</summary>
    private static IEnumerable<CheckedEvent> Dense(List<CheckedEvent> events, int least, TimeSpan window)
    {
        var found = new HashSet<CheckedEvent>(ReferenceEqualityComparer.Instance);
        for (int first = 0, last = 0; last < events.Count; last++)
        {
            while (events[last].Micros - events[first].Micros >= window.Ticks / TimeSpan.TicksPerMicrosecond)
                first++;
            if (last - first + 1 >= least)
                found.UnionWith(events.Skip(first).Take(last - first + 1));
        }

        return found;
    }

    [GeneratedRegex(@"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    private static partial Regex Email();
}

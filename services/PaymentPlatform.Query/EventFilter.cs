using PaymentPlatform.Events;

namespace PaymentPlatform.Query;

/// <summary>The filters of <c>/v1/events</c>.</summary>
public static class EventFilter
{
    // A payment method may be any: unknown ones are kept as they are.
    private static readonly string[] s_texts = ["merchant_id", "customer_id", "payment_method"];

    /// <summary>Filters that are a number, or true or false, where they are given as JSON.</summary>
    public static IReadOnlyList<string> OtherThanTexts { get; } = ["min_amount", "max_amount", "is_valid"];

    /// <summary>Reads the parameters; what is wrong with them is kept there.</summary>
    /// <param name="limit">Null: no limit.</param>
    public static ArchiveQuery Read(QueryParameters parameters, string kind, long? limit)
    {
        var (from, to) = parameters.Range();
        var isValid = parameters.Boolean("is_valid");
        var query = new ArchiveQuery
        {
            Kind = kind,
            Axis = isValid is false ? TimeAxis.TransactionOrArrival : TimeAxis.Transaction,
            From = from,
            To = to,
            After = parameters.Cursor(EventCursor.TryParse),
            Limit = limit,
        };
        Restrict(query, parameters);
        return query;
    }

    /// <summary>All filters but the range.</summary>
    public static void Restrict(ArchiveQuery query, QueryParameters parameters)
    {
        foreach (var name in s_texts)
        {
            if (parameters.Text(name) is { } value)
                query.Where($"{name} = ${name}", name, value);
        }

        if (parameters.Choice("payment_status", [.. PaymentStatuses.All, PaymentStatuses.Success]) is { } status)
            query.Where("payment_status = $payment_status", "payment_status", status == PaymentStatuses.Success ? PaymentStatuses.All[0] : status);
        if (Currency(parameters) is { } currency)
            query.Where("currency = $currency", "currency", currency);
        var (min, max) = (parameters.Amount("min_amount"), parameters.Amount("max_amount"));
        if (min > max)
            parameters.Fail("min_amount", "It is more than 'max_amount'.");
        if (min is not null)
            query.Where("amount >= $min_amount", "min_amount", min);
        if (max is not null)
            query.Where("amount <= $max_amount", "max_amount", max);
        if (parameters.Boolean("is_valid") is { } isValid)
            query.Where("is_valid = $is_valid", "is_valid", isValid);
        if (parameters.Choice("origin", "live", "resubmission", "replay") is { } origin)
            query.Where("origin = $origin", "origin", origin);
        else
            query.Where("origin IS DISTINCT FROM 'replay'");
        // A payment's trail shows them; here, as in the figures, an event counts once.
        query.Where("duplicate IS DISTINCT FROM true");
    }

    /// <summary>As events have it: in upper case.</summary>
    private static string? Currency(QueryParameters parameters)
    {
        if (parameters.Text("currency") is not { } text || Currencies.IsActive(text))
            return parameters.Text("currency");
        var upper = text.ToUpperInvariant();
        return parameters.Fail("currency", Currencies.IsActive(upper) ? $"Expected upper case: {upper}." : "Expected an active ISO 4217 code in upper case, for example EUR.");
    }
}

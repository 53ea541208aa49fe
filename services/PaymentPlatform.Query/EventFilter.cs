namespace PaymentPlatform.Query;

/// <summary>The filters of <c>/v1/events</c>.</summary>
public static class EventFilter
{
    private static readonly string[] TextFilters = ["merchant_id", "customer_id", "payment_status", "payment_method", "currency"];

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
        foreach (var name in TextFilters)
        {
            if (parameters.Text(name) is { } value)
                query.Where($"{name} = ${name}", name, value);
        }

        var (min, max) = (parameters.Amount("min_amount"), parameters.Amount("max_amount"));
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
}

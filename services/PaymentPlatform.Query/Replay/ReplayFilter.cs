using System.Text.Json;
using Microsoft.Extensions.Primitives;

namespace PaymentPlatform.Query.Replay;

/// <summary>Which events of the range: the filters of <c>/v1/events</c> and <c>transaction_id</c>, as the members of a JSON object.</summary>
internal static class ReplayFilter
{
    /// <summary>The condition on the archive, in the order of arrival.</summary>
    /// <param name="from">Of transaction time, microseconds since the Unix epoch, inclusive.</param>
    /// <param name="to">Exclusive.</param>
    /// <returns>The axis that the range is meant on, and what is wrong with the filter by its member. With a fault the condition holds for nothing: a filter that is not understood must not let everything through.</returns>
    public static (TimeAxis Axis, IReadOnlyDictionary<string, string> Faults) Apply(ArchiveQuery query, JsonElement filter, long from, long to)
    {
        var faults = new Dictionary<string, string>();
        var parameters = new QueryParameters(new QueryCollection(Parameters(filter)), noun: "member", names: StringComparer.Ordinal);
        if (parameters.Text("transaction_id") is { } transaction)
            query.Where("transaction_id = $transaction_id", "transaction_id", transaction);
        EventFilter.Restrict(query, parameters);
        // As in /v1/events: whoever asks for invalid events means those without a readable time as well.
        var axis = parameters.Boolean("is_valid") switch { false => TimeAxis.TransactionOrArrival, true => TimeAxis.ValidTransaction, null => TimeAxis.Transaction };
        var time = ArchiveQuery.TimeOf(axis);
        query.Where($"{time} >= make_timestamp($range_from)", "range_from", from);
        query.Where($"{time} < make_timestamp($range_to)", "range_to", to);
        foreach (var (name, messages) in parameters.Problem()?.ProblemDetails.Errors ?? new Dictionary<string, string[]>())
            faults.TryAdd(name, messages[0]);
        foreach (var member in filter.EnumerateObject().Where(IsOfWrongKind))
            faults.TryAdd(member.Name, "Expected a text.");
        if (faults.Count > 0)
            query.Where("false");
        return (axis, faults);
    }

    /// <summary>The members as parameters, which know what they must be; a text may stand for a number or for true and false, as it does there.</summary>
    private static Dictionary<string, StringValues> Parameters(JsonElement filter)
    {
        var parameters = new Dictionary<string, StringValues>(StringComparer.Ordinal);
        foreach (var member in filter.EnumerateObject())
        {
            // Twice there: the parameters say so.
            var text = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString() : member.Value.GetRawText();
            parameters[member.Name] = StringValues.Concat(parameters.GetValueOrDefault(member.Name), text);
        }

        return parameters;
    }

    /// <summary>5 would be taken for the text "5", which may be nobody's id.</summary>
    private static bool IsOfWrongKind(JsonProperty member) => member.Value.ValueKind != JsonValueKind.String && !EventFilter.OtherThanTexts.Contains(member.Name);
}

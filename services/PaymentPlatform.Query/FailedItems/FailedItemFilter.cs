using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Events;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>Which dead letters; a member that is null does not narrow.</summary>
/// <param name="From">Microseconds since the Unix epoch of <c>failed_at</c>, inclusive; <paramref name="To"/> is exclusive.</param>
internal sealed record FailedItemFilter(string? Status, string? ErrorType, long? From, long? To)
{
    /// <summary>Null when absent or wrong; then that is kept.</summary>
    public static string? ReadErrorType(RequestValues values) => values.Choice("error_type", [.. Constraints.All]);

    /// <summary>Adds to the command's text what follows a WHERE, and the parameters <c>status</c>, <c>error_type</c>, <c>from</c> and <c>to</c> where they are used.</summary>
    public string AddTo(NpgsqlParameterCollection parameters)
    {
        var conditions = new List<string>();
        Add("status", "=", Status is null ? null : new NpgsqlParameter("status", Status));
        Add("error_type", "=", ErrorType is null ? null : new NpgsqlParameter("error_type", ErrorType));
        Add("failed_at", ">=", Time("from", From));
        Add("failed_at", "<", Time("to", To));
        return conditions.Count == 0 ? "true" : string.Join(" AND ", conditions);

        void Add(string column, string comparison, NpgsqlParameter? parameter)
        {
            if (parameter is null)
                return;
            conditions.Add($"{column} {comparison} @{parameter.ParameterName}");
            parameters.Add(parameter);
        }
    }

    private static NpgsqlParameter? Time(string name, long? micros) =>
        micros is { } time ? new NpgsqlParameter(name, NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(time) } : null;
}

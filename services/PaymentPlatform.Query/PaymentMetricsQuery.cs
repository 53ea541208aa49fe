using Npgsql;
using NpgsqlTypes;

namespace PaymentPlatform.Query;

/// <summary>
/// Figures of whole windows from <c>payment_metrics_5m</c>. Amounts are never added across currencies, and an average is the sum over the count, never an average of averages.
/// </summary>
/// <param name="From">Microseconds since the Unix epoch; the start of a window.</param>
/// <param name="To">The end of a window.</param>
/// <param name="GroupBy">Some of <see cref="Dimensions"/>.</param>
/// <param name="Metrics">Some of <see cref="AllMetrics"/>.</param>
public sealed record PaymentMetricsQuery(long From, long To, TimeSpan Window, IReadOnlyList<string> GroupBy, IReadOnlyList<string> Metrics, MetricsCursor? After, int Limit)
{
    public static readonly IReadOnlyList<string> Dimensions = ["payment_method", "currency", "payment_status"];

    /// <summary>Our own SQL by metric, null-safe, over the rows of a group.</summary>
    private static readonly Dictionary<string, string> Expressions = new()
    {
        ["payment_count"] = "sum(total_count)::text",
        ["payment_success_rate"] = """
            (COALESCE(sum(total_count) FILTER (WHERE payment_status = 'completed'), 0)
              / NULLIF(sum(total_count) FILTER (WHERE payment_status IN ('completed', 'declined', 'failed', 'timeout', 'error')), 0))::text
            """,
        ["processed_amount"] = "COALESCE(sum(total_amount) FILTER (WHERE payment_status = 'completed'), 0)::text",
        ["avg_amount"] = "(sum(total_amount) / sum(total_count))::text",
        ["min_amount"] = "min(min_amount)::text",
        ["max_amount"] = "max(max_amount)::text",
    };

    public static readonly IReadOnlyList<string> AllMetrics = [.. Expressions.Keys];

    /// <summary>The columns of the key behind the window: the currency, then the other groups in a fixed order.</summary>
    public IReadOnlyList<string> Keys { get; } = ["currency", .. Dimensions.Where(d => d != "currency" && GroupBy.Contains(d))];

    /// <summary>One row more than the limit where another page follows.</summary>
    public async Task<List<PaymentMetricsItem>> RunAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string Bin = "date_bin(@window, window_start, TIMESTAMPTZ '1970-01-01 00:00:00+00')";
        var keys = string.Concat(Keys.Select(k => $", {k} COLLATE \"C\""));
        var after = After is null ? "" : $" AND ({Bin}{keys}) > (@after_window{string.Concat(Keys.Select((_, i) => $", @after{i}"))})";
        await using var command = new NpgsqlCommand(
            $"""
            SELECT {Bin} AS bin{string.Concat(Keys.Select(k => $", {k}"))}{string.Concat(Metrics.Select(m => $", {Expressions[m]}"))}
            FROM payment_metrics_5m
            WHERE window_start >= @from AND window_start < @to{after}
            GROUP BY bin{string.Concat(Keys.Select(k => $", {k}"))}
            ORDER BY bin{keys}
            LIMIT @limit
            """,
            connection);
        command.Parameters.Add(Time("from", Math.Max(From, After?.WindowStart ?? From)));
        command.Parameters.Add(Time("to", To));
        command.Parameters.Add(new("window", NpgsqlDbType.Interval) { Value = Window });
        command.Parameters.Add(new("limit", Limit + 1L));
        if (After is not null)
        {
            command.Parameters.Add(Time("after_window", After.WindowStart));
            for (var i = 0; i < Keys.Count; i++)
                command.Parameters.Add(new($"after{i}", After.Keys[i]));
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<PaymentMetricsItem>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var start = reader.GetDateTime(0);
            items.Add(new(
                start,
                start + Window,
                reader.GetString(1),
                [.. Keys.Skip(1).Select((key, i) => KeyValuePair.Create(key, reader.GetString(2 + i)))],
                [.. Metrics.Select((metric, i) => KeyValuePair.Create(metric, Figure(reader, 1 + Keys.Count + i)))]));
        }

        return items;
    }

    public MetricsCursor CursorAt(PaymentMetricsItem item) => new(From, To, Timestamps.ToMicros(item.WindowStart), [item.Currency, .. item.Groups.Select(g => g.Value)]);

    private static ExactNumber? Figure(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : new(ExactNumbers.Trim(reader.GetString(ordinal)));

    private static NpgsqlParameter Time(string name, long micros) => new(name, NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(micros) };
}

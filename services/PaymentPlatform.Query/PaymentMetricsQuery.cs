using System.Text;
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
/// <param name="CompareAt">Now, where each item gets the same group of the window before, and groups that only that one had are items too; null otherwise.</param>
public sealed record PaymentMetricsQuery(long From, long To, TimeSpan Window, IReadOnlyList<string> GroupBy, IReadOnlyList<string> Metrics, MetricsCursor? After, int Limit, long? CompareAt = null)
{
    public static readonly IReadOnlyList<string> Dimensions = ["payment_method", "currency", "payment_status"];

    private const string Bin = "date_bin(@window, window_start, TIMESTAMPTZ '1970-01-01 00:00:00+00')";

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

    /// <summary>Those that an absent <c>metrics</c> stands for.</summary>
    public static readonly IReadOnlyList<string> DefaultMetrics = [.. Expressions.Keys];

    public static readonly IReadOnlyList<string> AllMetrics = [.. DefaultMetrics, .. UniqueFigures.Metrics];

    /// <summary>The columns of the key behind the window: the currency, then the other groups in a fixed order.</summary>
    public IReadOnlyList<string> Keys { get; } = ["currency", .. Dimensions.Where(d => d != "currency" && GroupBy.Contains(d))];

    private string KeyList => string.Concat(Keys.Select(k => $", {k} COLLATE \"C\""));

    /// <summary>One row more than the limit where another page follows.</summary>
    public async Task<List<PaymentMetricsItem>> RunAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var items = await ReadAsync(connection, Math.Max(From, After?.WindowStart ?? From), To, After is null ? null : new(After.WindowStart, After.Keys, ">"), null, Limit + 1L, cancellationToken);
        return CompareAt is { } now ? await CompareAsync(connection, items, now, cancellationToken) : items;
    }

    public MetricsCursor CursorAt(PaymentMetricsItem item) => new(From, To, Timestamps.ToMicros(item.WindowStart), [.. item.Keys]);

    private async Task<List<PaymentMetricsItem>> CompareAsync(NpgsqlConnection connection, List<PaymentMetricsItem> items, long now, CancellationToken cancellationToken)
    {
        var length = Window.Ticks / TimeSpan.TicksPerMicrosecond;
        var lower = After is null ? null : new Bound(Earlier(After.WindowStart), After.Keys, ">");
        // Behind the page's last item nothing is asked for. Up to it there is at most a window's groups more than the page has.
        var upper = items.Count > Limit ? new Bound(Earlier(Timestamps.ToMicros(items[^1].WindowStart)), [.. items[^1].Keys], "<=") : null;
        var before = (await ReadAsync(connection, lower?.Window ?? Earlier(From), upper?.Window + length ?? Earlier(To), lower, upper, long.MaxValue, cancellationToken))
            .ToDictionary(item => Identity(item, Window));
        var compared = items.ConvertAll(item => item with { Comparison = new(before.GetValueOrDefault(Identity(item, TimeSpan.Zero)), Timestamps.ToMicros(item.WindowEnd) > now) });
        var present = items.Select(item => Identity(item, TimeSpan.Zero)).ToHashSet();
        // A window that has not begun lacks nothing.
        compared.AddRange(before.Where(pair => !present.Contains(pair.Key) && Timestamps.ToMicros(pair.Value.WindowEnd) <= now).Select(pair => Absent(pair.Value, now)));
        compared.Sort(InOrder);
        return compared.GetRange(0, Math.Min(compared.Count, Limit + 1));

        long Earlier(long micros) => Math.Max(micros - length, Timestamps.ToMicros(DateTime.MinValue));
    }

    /// <summary>The group in the window after its last events.</summary>
    private PaymentMetricsItem Absent(PaymentMetricsItem previous, long now) => previous with
    {
        WindowStart = previous.WindowEnd,
        WindowEnd = previous.WindowEnd + Window,
        Figures = [.. previous.Figures.Select(f => KeyValuePair.Create(f.Key, OfNothing(f.Key)))],
        Countries = previous.Countries is null ? null : new Dictionary<string, long>(),
        Comparison = new(previous, Timestamps.ToMicros(previous.WindowEnd + Window) > now),
    };

    /// <summary>Counts and sums of no events are 0; what is over events is not there.</summary>
    private static ExactNumber? OfNothing(string metric) => metric is "payment_success_rate" or "avg_amount" or "min_amount" or "max_amount" ? null : new("0");

    private static string Identity(PaymentMetricsItem item, TimeSpan later) => string.Join('\0', item.Keys.Prepend((item.WindowStart + later).Ticks.ToString()));

    /// <summary>The database's order: by bytes.</summary>
    private static int InOrder(PaymentMetricsItem one, PaymentMetricsItem other)
    {
        var order = one.WindowStart.CompareTo(other.WindowStart);
        return order != 0 ? order : one.Keys.Zip(other.Keys, (a, b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b))).FirstOrDefault(difference => difference != 0);
    }

    private async Task<List<PaymentMetricsItem>> ReadAsync(NpgsqlConnection connection, long from, long to, Bound? lower, Bound? upper, long limit, CancellationToken cancellationToken)
    {
        var figures = Metrics.Where(Expressions.ContainsKey).ToList();
        List<PaymentMetricsItem> items = [];
        await using (var command = new NpgsqlCommand(
            $"""
            SELECT {Bin} AS bin{string.Concat(Keys.Select(k => $", {k}"))}{string.Concat(figures.Select(m => $", {Expressions[m]}"))}
            {Where(lower, upper)}
            GROUP BY bin{string.Concat(Keys.Select(k => $", {k}"))}
            ORDER BY bin{KeyList}
            LIMIT @limit
            """,
            connection))
        {
            AddParameters(command, from, to, lower, upper);
            command.Parameters.Add(new("limit", limit));
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var start = reader.GetDateTime(0);
                items.Add(new(
                    start,
                    start + Window,
                    reader.GetString(1),
                    [.. Keys.Skip(1).Select((key, i) => KeyValuePair.Create(key, reader.GetString(2 + i)))],
                    [.. figures.Select((metric, i) => KeyValuePair.Create(metric, Figure(reader, 1 + Keys.Count + i)))]));
            }
        }

        var uniques = Metrics.Where(UniqueFigures.Metrics.Contains).ToList();
        if (uniques.Count == 0 || items.Count == 0)
            return items;
        // Only of the groups that are answered: a sketch is large.
        upper = new(Timestamps.ToMicros(items[^1].WindowStart), [.. items[^1].Keys], "<=");
        await using var sketches = new NpgsqlCommand(
            $"""
            SELECT {Bin} AS bin, {string.Join(", ", uniques.Select(UniqueFigures.Column))}{string.Concat(Keys.Select(k => $", {k}"))}
            {Where(lower, upper)}
            ORDER BY bin{KeyList}
            """,
            connection);
        AddParameters(sketches, from, to, lower, upper);
        return await UniqueFigures.AddAsync(sketches, items, uniques, cancellationToken);
    }

    private string Where(Bound? lower, Bound? upper) => $"FROM payment_metrics_5m WHERE window_start >= @from AND window_start < @to{Condition("lower", lower)}{Condition("upper", upper)}";

    private string Condition(string name, Bound? bound) => bound is null ? "" : $" AND ({Bin}{KeyList}) {bound.Operator} (@{name}_window{string.Concat(Keys.Select((_, i) => $", @{name}{i}"))})";

    private void AddParameters(NpgsqlCommand command, long from, long to, Bound? lower, Bound? upper)
    {
        command.Parameters.Add(Time("from", from));
        command.Parameters.Add(Time("to", to));
        command.Parameters.Add(new("window", NpgsqlDbType.Interval) { Value = Window });
        foreach (var (name, bound) in ((string, Bound?)[])[("lower", lower), ("upper", upper)])
        {
            if (bound is null)
                continue;
            command.Parameters.Add(Time($"{name}_window", bound.Window));
            for (var i = 0; i < Keys.Count; i++)
                command.Parameters.Add(new($"{name}{i}", bound.Keys[i]));
        }
    }

    private static ExactNumber? Figure(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : new(ExactNumbers.Trim(reader.GetString(ordinal)));

    private static NpgsqlParameter Time(string name, long micros) => new(name, NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(micros) };

    /// <summary>One end of a stretch of the answer's order.</summary>
    private sealed record Bound(long Window, string[] Keys, string Operator);
}

using System.Globalization;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Query;

/// <summary>Results of rules in the order of time: hits of <c>dynamic_metrics</c>, windows of <c>rule_buckets</c>, and derived rules computed from those.</summary>
/// <param name="From">Microseconds since the Unix epoch; null for no bound, as is <paramref name="To"/>.</param>
/// <param name="TransactionId">Leaves windows out: they are not of one transaction.</param>
/// <param name="Kind"><see cref="DynamicMetricItem.Event"/> or <see cref="DynamicMetricItem.Window"/>; null for both.</param>
public sealed record DynamicMetricsQuery(string? MetricType, string? RuleName, string? TransactionId, long? From, long? To, DynamicMetricsCursor? After, int Limit, LatestRules Rules, string? Kind = null)
{
    public const string DerivedType = "derived";

    private const string Value = """
        CASE metric_type WHEN 'sum' THEN total WHEN 'average' THEN total / NULLIF(event_count, 0) WHEN 'ratio' THEN matched / NULLIF(event_count, 0)::numeric
          WHEN 'percentage' THEN 100 * matched / NULLIF(event_count, 0)::numeric ELSE event_count END::text
        """;

    /// <summary>One item more than the limit where another page follows.</summary>
    public async Task<List<DynamicMetricItem>> RunAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var items = Kind is DynamicMetricItem.Window ? [] : await ReadAsync(connection, EventsSql(), ReadEvent, cancellationToken);
        if (TransactionId is null && Kind is not DynamicMetricItem.Event)
        {
            items.AddRange(await ReadAsync(connection, WindowsSql(), ReadWindow, cancellationToken));
            items.AddRange(await ReadDerivedAsync(connection, cancellationToken));
        }

        // Each is in order of its own already, and the sort is stable: a rule's version comes from one of them only.
        items =
        [
            .. items.Where(i => i.Kind == DynamicMetricItem.Event)
                .Concat(items.Where(i => i.Kind == DynamicMetricItem.Window).OrderBy(i => i.Time).ThenBy(i => i.RuleName, StringComparer.Ordinal).ThenBy(i => i.RuleVersion, StringComparer.Ordinal))
                .OrderBy(i => i.Time).ThenBy(i => i.Kind, StringComparer.Ordinal),
        ];
        if (items.Count > Limit + 1)
            items.RemoveRange(Limit + 1, items.Count - Limit - 1);
        return items;
    }

    public DynamicMetricsCursor CursorAt(DynamicMetricItem item) => new(
        From, To, Timestamps.ToMicros(item.Time), item.Kind == DynamicMetricItem.Window,
        item.Kind == DynamicMetricItem.Window
            ? [item.RuleName, item.RuleVersion, item.GroupKey!, Timestamps.ToMicros(item.WindowEnd!.Value).ToString(CultureInfo.InvariantCulture)]
            : [item.RuleName, item.Stream!, item.StreamLogId!, item.StreamPartition!.Value.ToString(CultureInfo.InvariantCulture), item.StreamOffset!.Value.ToString(CultureInfo.InvariantCulture)]);

    private string EventsSql() => $"""
        SELECT event_time, rule_name, rule_version, metric_type, metric_value::text, transaction_id, correlation_id, metric_data::text, stream, log_id, partition_id, stream_offset
        FROM dynamic_metrics
        WHERE {Filter("event_time")}{(TransactionId is null ? "" : " AND transaction_id = @transaction_id")}{After switch
        {
            null => "",
            { IsWindow: true } => " AND event_time > @after",
            _ => " AND (event_time, rule_name, stream, log_id, partition_id, stream_offset) > (@after, @k0, @k1, @k2, @k3::int, @k4::bigint)",
        }}
        ORDER BY event_time, rule_name, stream, log_id, partition_id, stream_offset
        LIMIT @limit
        """;

    private string WindowsSql() => $"""
        SELECT window_start, rule_name, rule_version, metric_type, {Value}, window_end, group_key, event_count, matched
        FROM rule_buckets
        WHERE {Filter("window_start")}{AfterWindow("rule_name", "rule_version")}
        ORDER BY window_start, rule_name, rule_version, group_key, window_end
        LIMIT @limit
        """;

    /// <summary>Where a part has no figure, the derived rule has none.</summary>
    private string DerivedSql() => $"""
        SELECT window_start, d.name, d.version, window_end, group_key, array_agg(rule_name), array_agg(event_count), array_agg(matched), array_agg((total * 10000)::numeric(38, 0)::text)
        FROM rule_buckets JOIN unnest(@names, @versions, @counts, @parts, @part_versions) AS d(name, version, parts, part, part_version) ON rule_name = d.part AND rule_version = d.part_version
        WHERE {Range("window_start")}{AfterWindow("d.name COLLATE \"C\"", "d.version COLLATE \"C\"")}
        GROUP BY window_start, d.name, d.version, group_key, window_end, d.parts
        HAVING count(*) = d.parts
        ORDER BY window_start, d.name COLLATE "C", d.version COLLATE "C", group_key, window_end
        LIMIT @limit
        """;

    private string AfterWindow(string name, string version) => After switch
    {
        null => "",
        { IsWindow: false } => " AND window_start >= @after",
        _ => $" AND (window_start, {name}, {version}, group_key, window_end) > (@after, @k0, @k1, @k2, @after_end)",
    };

    private string Range(string time) => $"true{(From is null ? "" : $" AND {time} >= @from")}{(To is null ? "" : $" AND {time} < @to")}";

    private string Filter(string time) =>
        $"{Range(time)}{(MetricType is null ? "" : " AND metric_type = @metric_type")}{(RuleName is null ? "" : " AND rule_name = @rule_name")}";

    private async Task<List<DynamicMetricItem>> ReadDerivedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (MetricType is not (null or DerivedType) || await Rules.FindAsync(connection, cancellationToken) is not { } rules)
            return [];
        var figures = new DerivedFigures(rules, RuleName);
        return figures.Rows.Count == 0
            ? []
            : await ReadAsync(
                connection, DerivedSql(), reader => ReadDerived(reader, figures), cancellationToken,
                new("names", figures.Rows.ConvertAll(r => r.Name)), new("versions", figures.Rows.ConvertAll(r => r.Version)), new("counts", figures.Rows.ConvertAll(r => r.Count)),
                new("parts", figures.Rows.ConvertAll(r => r.Part)), new("part_versions", figures.Rows.ConvertAll(r => r.PartVersion)));
    }

    private async Task<List<DynamicMetricItem>> ReadAsync(
        NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, DynamicMetricItem> read, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        command.Parameters.Add(new("limit", Limit + 1L));
        AddTime(command, "from", From);
        AddTime(command, "to", To);
        AddTime(command, "after", After?.Time);
        AddTime(command, "after_end", After is { IsWindow: true } ? long.Parse(After.Keys[3], CultureInfo.InvariantCulture) : null);
        for (var i = 0; i < (After?.Keys.Length ?? 0); i++)
            AddText(command, $"k{i}", After!.Keys[i]);
        AddText(command, "metric_type", MetricType);
        AddText(command, "rule_name", RuleName);
        AddText(command, "transaction_id", TransactionId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<DynamicMetricItem>();
        while (await reader.ReadAsync(cancellationToken))
            items.Add(read(reader));
        return items;
    }

    private static void AddTime(NpgsqlCommand command, string name, long? micros)
    {
        if (micros is { } value && command.CommandText.Contains('@' + name, StringComparison.Ordinal))
            command.Parameters.Add(new(name, NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(value) });
    }

    private static void AddText(NpgsqlCommand command, string name, string? value)
    {
        if (value is not null && command.CommandText.Contains('@' + name, StringComparison.Ordinal))
            command.Parameters.Add(new(name, NpgsqlDbType.Text) { Value = value });
    }

    private static DynamicMetricItem ReadEvent(NpgsqlDataReader reader) => new(
        DynamicMetricItem.Event, reader.GetDateTime(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), Number(reader, 4), null, null, null, null, null,
        Text(reader, 5), Text(reader, 6), Json(reader, 7), reader.GetString(8), reader.GetString(9), reader.GetInt32(10), reader.GetInt64(11));

    private static DynamicMetricItem ReadWindow(NpgsqlDataReader reader) => new(
        DynamicMetricItem.Window, reader.GetDateTime(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), Number(reader, 4), reader.GetDateTime(0), reader.GetDateTime(5), reader.GetString(6),
        reader.GetInt64(7), reader.GetInt64(8), null, null, null, null, null, null, null);

    private static DynamicMetricItem ReadDerived(NpgsqlDataReader reader, DerivedFigures figures)
    {
        var (names, events, matched, totals) = (reader.GetFieldValue<string[]>(5), reader.GetFieldValue<long[]>(6), reader.GetFieldValue<long[]>(7), reader.GetFieldValue<string[]>(8));
        var buckets = new Dictionary<string, BucketValues>();
        for (var i = 0; i < names.Length; i++)
            buckets.Add(names[i], new() { Count = events[i], Matched = matched[i], Sum = Int128.Parse(totals[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) });
        var name = reader.GetString(1);
        ExactNumber? value = figures.Evaluate(name, buckets) is { } figure ? new(ExactNumbers.Format(figure)) : null;
        return new(
            DynamicMetricItem.Window, reader.GetDateTime(0), name, reader.GetString(2), DerivedType, value, reader.GetDateTime(0), reader.GetDateTime(3), reader.GetString(4), null, null, null, null, null, null, null, null, null);
    }

    private static ExactNumber? Number(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : new(ExactNumbers.Trim(reader.GetString(ordinal)));

    private static string? Text(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    private static JsonElement? Json(NpgsqlDataReader reader, int ordinal)
    {
        if (reader.IsDBNull(ordinal))
            return null;
        using var document = JsonDocument.Parse(reader.GetString(ordinal), new() { MaxDepth = 1000 });
        return document.RootElement.Clone();
    }
}

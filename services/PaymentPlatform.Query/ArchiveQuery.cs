using DuckDB.NET.Data;

namespace PaymentPlatform.Query;

/// <summary>What to look for in the archive. The SQL consists of our own text only; values are parameters.</summary>
public sealed class ArchiveQuery
{
    private readonly List<string> _conditions = [];
    private readonly List<(string Name, object Value)> _parameters = [];

    /// <summary>For telemetry: page, export, lookup, replay.</summary>
    public required string Kind { get; init; }

    public required TimeAxis Axis { get; init; }

    /// <summary>Microseconds since the Unix epoch on the axis, inclusive; null: from the first event on.</summary>
    public long? From { get; init; }

    /// <summary>Exclusive; null: to the last event.</summary>
    public long? To { get; init; }

    /// <summary>Only what comes after this one.</summary>
    public EventCursor? After { get; init; }

    /// <summary>Rows at most; null: all.</summary>
    public long? Limit { get; init; }

    /// <summary>Whether it may take as long as its reader does.</summary>
    public bool IsExport => Kind == "export";

    /// <param name="condition">Our own SQL; it names the parameter as <c>$name</c>.</param>
    public void Where(string condition, string name, object value)
    {
        Where(condition);
        Bind(name, value);
    }

    /// <inheritdoc cref="Where(string, string, object)"/>
    public void Where(string condition) => _conditions.Add(condition);

    /// <summary>A further parameter of a condition.</summary>
    public void Bind(string name, object value) => _parameters.Add((name, value));

    /// <summary>The time of an event on the axis, in SQL; null where it is not on it.</summary>
    public static string TimeOf(TimeAxis axis) => axis switch
    {
        TimeAxis.Transaction or TimeAxis.ValidTransaction => "transaction_timestamp",
        TimeAxis.Arrival => "enqueued_at",
        _ => "COALESCE(transaction_timestamp, enqueued_at)",
    };

    /// <summary>The rows of one slice, in order.</summary>
    /// <param name="wrap">Our own SQL around the SELECT, for COPY.</param>
    public void Build(DuckDBCommand command, ScanSlice slice, IEnumerable<string> paths, long? limit, string? selectList = null, Func<string, string>? wrap = null)
    {
        var time = TimeOf(Axis);
        var (position, afterPosition) = Axis == TimeAxis.Arrival
            ? ("stream_partition, stream_offset, stream_log_id", "$after_partition, $after_offset, $after_log")
            : ("stream_log_id, stream_partition, stream_offset", "$after_log, $after_partition, $after_offset");
        var after = After is null
            ? ""
            : $" AND {time} >= make_timestamp($after_time) AND ({time} > make_timestamp($after_time) OR ({position}) > ({afterPosition}))";
        var select = $"""
            SELECT {selectList ?? EventColumn.SelectList}
            FROM read_parquet($files, union_by_name = true, filename = true)
            WHERE {time} >= make_timestamp($from) AND {time} < make_timestamp($to){after}{string.Concat(_conditions.Select(c => $" AND ({c})"))}
            ORDER BY {time}, {position}
            {(limit is null ? "" : "LIMIT $limit")}
            """;
        command.CommandText = wrap is null ? select : wrap(select);
        Add("files", paths.ToList());
        Add("from", slice.From);
        Add("to", slice.To);
        foreach (var (name, value) in _parameters)
            Add(name, value);
        if (limit is not null)
            Add("limit", limit);
        if (After is { } cursor)
        {
            Add("after_time", cursor.Time);
            Add("after_log", cursor.LogId);
            Add("after_partition", cursor.Partition);
            Add("after_offset", cursor.Offset);
        }

        void Add(string name, object value) => command.Parameters.Add(new DuckDBParameter(name, value));
    }
}

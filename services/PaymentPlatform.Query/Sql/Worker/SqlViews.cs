using DuckDB.NET.Data;

namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>Makes the views that a statement reads.</summary>
internal static class SqlViews
{
    /// <summary>The archive's columns and their types; a cast to a column's own type costs nothing.</summary>
    private static readonly string s_columns = string.Join(", ", EventColumn.All.Where(c => c.Name != EventColumn.FileName).Select(c => $"{c.Name}::{TypeOf(c)} AS {c.Name}"));

    /// <param name="byName">Takes files whose columns differ, at the price of opening all of them first.</param>
    public static void Create(DuckDBConnection connection, SqlRun run, bool byName)
    {
        // Without a file there are no columns to take from one.
        var source = run.Files.Count == 0
            ? $"(SELECT {string.Join(", ", EventColumn.All.Where(c => c.Name != EventColumn.FileName).Select(c => $"NULL AS {c.Name}"))}, 0::UBIGINT AS file_index WHERE false)"
            : $"read_parquet({SqlEngine.TextList(run.Files)}, hive_partitioning = false, union_by_name = {(byName ? "true" : "false")})";
        var conditions = string.Join(" AND ", new[] { Bound(run.From, ">="), Bound(run.To, "<") }.OfType<string>().DefaultIfEmpty("true"));
        SqlEngine.Execute(connection, $"CREATE VIEW {SqlGuard.AllEvents} AS SELECT {s_columns}, ({SqlEngine.TextList(run.BlobNames)}::VARCHAR[])[(file_index + 1)::BIGINT] AS archive_file FROM {source} WHERE {conditions}");
        SqlEngine.Execute(connection, $"CREATE VIEW {SqlGuard.Events} AS SELECT * FROM {SqlGuard.AllEvents} WHERE origin IS DISTINCT FROM 'replay' AND duplicate IS DISTINCT FROM true");
    }

    private static string? Bound(long? micros, string comparison) => micros is { } time ? $"transaction_timestamp::TIMESTAMPTZ {comparison} make_timestamptz({time})" : null;

    private static string TypeOf(EventColumn column) => column.Kind switch
    {
        EventColumnKind.Timestamp => "TIMESTAMPTZ",
        EventColumnKind.Amount => "DECIMAL(19, 4)",
        EventColumnKind.Boolean => "BOOLEAN",
        EventColumnKind.Payload => "BLOB",
        EventColumnKind.Integer => column.Name == "stream_partition" ? "INTEGER" : "BIGINT",
        _ => "VARCHAR",
    };
}

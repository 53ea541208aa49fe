using DuckDB.NET.Data;

namespace PaymentPlatform.Testing;

/// <summary>DuckDB as a test looks at files with it: none of our readers.</summary>
public static class DuckDbExtensions
{
    public static void Execute(this DuckDBConnection duckDb, string sql)
    {
        using var command = duckDb.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public static object?[][] Query(this DuckDBConnection duckDb, string sql)
    {
        using var command = duckDb.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<object?[]>();
        while (reader.Read())
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++)
                row[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            rows.Add(row);
        }

        return [.. rows];
    }
}

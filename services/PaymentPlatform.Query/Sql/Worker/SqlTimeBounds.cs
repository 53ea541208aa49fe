using System.Text.Json;
using DuckDB.NET.Data;

namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>Reads the bounds of transaction time from a WHERE clause: comparisons with constants that are joined by AND. All else bounds nothing.</summary>
internal sealed class SqlTimeBounds(DuckDBConnection connection)
{
    private const string Column = "transaction_timestamp";

    /// <summary>The types of a constant that DuckDB compares with a time as UTC. A plain text becomes a time too.</summary>
    private static readonly string[] Types = ["VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"];

    /// <param name="select">A SELECT whose FROM is one of the views and nothing else.</param>
    /// <returns>Microseconds since the Unix epoch; rows outside <c>[From, To)</c> don't pass the condition. Null: no bound.</returns>
    public (long? From, long? To) Of(JsonElement select)
    {
        var table = select.GetProperty("from_table");
        // Renamed columns; a sample is taken before the condition.
        if (table.GetProperty("column_name_alias").GetArrayLength() > 0 || table.GetProperty("sample").ValueKind != JsonValueKind.Null || table.GetProperty("at_clause").ValueKind != JsonValueKind.Null)
            return default;
        var alias = table.GetProperty("alias").GetString() is { Length: > 0 } given ? given : table.GetProperty("table_name").GetString()!;
        return select.GetProperty("where_clause") is { ValueKind: JsonValueKind.Object } condition ? Of(condition, alias) : default;
    }

    private (long? From, long? To) Of(JsonElement condition, string alias)
    {
        var type = condition.GetProperty("type").GetString();
        switch (type)
        {
            case "CONJUNCTION_AND":
                long? from = null, to = null;
                foreach (var part in condition.GetProperty("children").EnumerateArray().Select(c => Of(c, alias)))
                    (from, to) = (from > part.From ? from : part.From ?? from, to < part.To ? to : part.To ?? to);
                return (from, to);
            case "COMPARE_BETWEEN" when IsColumn(condition.GetProperty("input"), alias):
                return (Time(condition.GetProperty("lower")), Time(condition.GetProperty("upper")) + 1);
            case "COMPARE_EQUAL" or "COMPARE_GREATERTHAN" or "COMPARE_GREATERTHANOREQUALTO" or "COMPARE_LESSTHAN" or "COMPARE_LESSTHANOREQUALTO":
                var (left, right) = (condition.GetProperty("left"), condition.GetProperty("right"));
                return IsColumn(left, alias) ? Compared(type, Time(right)) : IsColumn(right, alias) ? Compared(Mirrored(type), Time(left)) : default;
            default:
                return default;
        }
    }

    private static (long? From, long? To) Compared(string type, long? time) => type switch
    {
        "COMPARE_EQUAL" => (time, time + 1),
        "COMPARE_GREATERTHAN" or "COMPARE_GREATERTHANOREQUALTO" => (time, null),
        "COMPARE_LESSTHAN" => (null, time),
        _ => (null, time + 1),
    };

    private static string Mirrored(string type) => type switch
    {
        "COMPARE_GREATERTHAN" => "COMPARE_LESSTHAN",
        "COMPARE_GREATERTHANOREQUALTO" => "COMPARE_LESSTHANOREQUALTO",
        "COMPARE_LESSTHAN" => "COMPARE_GREATERTHAN",
        "COMPARE_LESSTHANOREQUALTO" => "COMPARE_GREATERTHANOREQUALTO",
        _ => type,
    };

    private static bool IsColumn(JsonElement expression, string alias)
    {
        if (expression.GetProperty("type").GetString() != "COLUMN_REF")
            return false;
        var names = expression.GetProperty("column_names").EnumerateArray().Select(n => n.GetString()!).ToList();
        return SqlNames.Comparer.Equals(names[^1], Column) && (names.Count == 1 || (names.Count == 2 && SqlNames.Comparer.Equals(names[0], alias)));
    }

    private long? Time(JsonElement expression)
    {
        var type = Types[0];
        if (expression.GetProperty("type").GetString() == "OPERATOR_CAST")
        {
            type = expression.GetProperty("cast_type").GetProperty("id").GetString();
            expression = expression.GetProperty("child");
        }

        return Types.Contains(type) && expression.GetProperty("type").GetString() == "VALUE_CONSTANT"
            && expression.GetProperty("value") is var value && value.GetProperty("type").GetProperty("id").GetString() == "VARCHAR"
            && value.TryGetProperty("value", out var text) && text.ValueKind == JsonValueKind.String
            ? Evaluate(text.GetString()!, type!)
            : null;
    }

    /// <summary>The engine decides what a text means. Null where it is no time; what the statement does with it is then the engine's business.</summary>
    private long? Evaluate(string text, string type)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT epoch_us(CASE WHEN isfinite(t) THEN t END) FROM (SELECT CAST(TRY_CAST($text::VARCHAR AS {type}) AS TIMESTAMPTZ) AS t)";
        command.Parameters.Add(new DuckDBParameter("text", text));
        try
        {
            return command.ExecuteScalar() as long?;
        }
        catch (DuckDBException)
        {
            return null;
        }
    }
}

using System.Text.Json;
using DuckDB.NET.Data;

namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>Has DuckDB parse a statement, without running any of it, and looks at all that it would do.</summary>
internal sealed class SqlParser : IDisposable
{
    /// <summary>DuckDB itself takes expressions of a thousand levels, and each has several of JSON.</summary>
    private const int MaxDepth = 8000;

    private readonly DuckDBConnection _connection = SqlEngine.Open([], "threads = 1", "memory_limit = '256MiB'");

    /// <exception cref="SqlFailure">It is not one SELECT over the events, or can't be parsed.</exception>
    public SqlChecked Check(string statement)
    {
        // The engine's texts end there: what was checked would not be what runs.
        if (statement.Contains('\0', StringComparison.Ordinal))
            throw new SqlFailure(SqlFailureKind.Refused, "A null character is not allowed.", statement.IndexOf('\0', StringComparison.Ordinal));
        using var document = Parse(statement);
        var root = document.RootElement;
        if (root.GetProperty("error").GetBoolean())
        {
            var error = EngineError.Read(root, "error_type", "error_message");
            throw error.Type == "not implemented"
                ? new SqlFailure(SqlFailureKind.Refused, $"This is not a SELECT. {SqlGuard.Allowed}")
                : new SqlFailure(SqlFailureKind.Invalid, error.Message, error.Position(statement));
        }

        var statements = root.GetProperty("statements");
        return statements.GetArrayLength() switch
        {
            1 => new SqlGuard(statement, new SqlTimeBounds(_connection)).Check(statements[0]),
            0 => throw new SqlFailure(SqlFailureKind.Refused, $"There is no statement. {SqlGuard.Allowed}"),
            _ => throw new SqlFailure(SqlFailureKind.Refused, $"There is more than one statement. {SqlGuard.Allowed}"),
        };
    }

    public void Dispose() => _connection.Dispose();

    private JsonDocument Parse(string statement)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT json_serialize_sql($statement::VARCHAR)";
        command.Parameters.Add(new DuckDBParameter("statement", statement));
        try
        {
            return JsonDocument.Parse((string)command.ExecuteScalar()!, new() { MaxDepth = MaxDepth });
        }
        catch (DuckDBException exception)
        {
            var error = EngineError.Read(exception.Message);
            throw new SqlFailure(SqlFailureKind.Invalid, error.Message, error.Position(statement));
        }
        catch (JsonException)
        {
            throw new SqlFailure(SqlFailureKind.Refused, "It is nested too deeply, or has a number that is beyond the range of DOUBLE.");
        }
    }
}

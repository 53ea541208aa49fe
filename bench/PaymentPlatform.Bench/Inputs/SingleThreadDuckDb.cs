using DuckDB.NET.Data;

namespace PaymentPlatform.Bench.Inputs;

/// <summary>The peer of what one core does: DuckDB in memory, with one thread.</summary>
internal sealed class SingleThreadDuckDb : IDisposable
{
    private readonly DuckDBConnection _connection = new("Data Source=:memory:");

    public SingleThreadDuckDb()
    {
        _connection.Open();
        Scalar("SET threads = 1");
        Scalar("SET TimeZone = 'UTC'");
    }

    /// <summary>Of the answer's first row and column; null when there is none.</summary>
    public object? Scalar(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    /// <summary>A text as SQL writes it.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    public void Dispose() => _connection.Dispose();
}

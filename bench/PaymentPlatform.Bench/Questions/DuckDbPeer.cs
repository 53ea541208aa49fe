using System.Diagnostics;
using DuckDB.NET.Data;

namespace PaymentPlatform.Bench.Questions;

/// <summary>DuckDB that reads copies of the archive's files directly, with as many threads as the service's engine has.</summary>
internal sealed class DuckDbPeer : IDisposable
{
    private readonly DuckDBConnection _connection = new("Data Source=:memory:");

    /// <param name="directory">Holds the copies, once they are written.</param>
    public DuckDbPeer(string directory)
    {
        Directory = directory;
        _connection.Open();
        Execute("SET threads = 2; SET TimeZone = 'UTC'");
    }

    public string Directory { get; }

    /// <summary>All events, with their files.</summary>
    public string Source => $"read_parquet('{Directory}/*.parquet', filename = true)";

    /// <summary>Rows of a query, each as texts.</summary>
    public List<string[]> Rows(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<string[]>();
        while (reader.Read())
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "" : reader.GetValue(i).ToString()!)]);
        return rows;
    }

    /// <summary>Runs a query and reads every value of its answer.</summary>
    public TimeSpan Time(string sql)
    {
        var watch = Stopwatch.StartNew();
        Rows(sql);
        return watch.Elapsed;
    }

    /// <summary>Writes the answer to a file.</summary>
    /// <param name="options">Of COPY.</param>
    public TimeSpan TimeCopy(string sql, string options)
    {
        var file = Path.GetTempFileName();
        try
        {
            var watch = Stopwatch.StartNew();
            Execute($"COPY ({sql}) TO '{file}' ({options})");
            return watch.Elapsed;
        }
        finally
        {
            File.Delete(file);
        }
    }

    public void Dispose() => _connection.Dispose();

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

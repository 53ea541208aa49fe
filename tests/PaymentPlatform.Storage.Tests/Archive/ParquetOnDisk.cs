using DuckDB.NET.Data;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Storage.Tests.Archive;

/// <summary>A Parquet file on disk, and DuckDB to look at it.</summary>
public sealed class ParquetOnDisk : IDisposable
{
    public const long ArchivedAt = 1_765_000_100_123_456;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.parquet");

    public ParquetOnDisk(ParquetFile file)
    {
        using (var target = File.Create(_path))
        {
            foreach (var memory in file.Content)
                target.Write(memory.Span);
        }

        DuckDb = new("Data Source=:memory:");
        DuckDb.Open();
        Execute("SET TimeZone = 'UTC'");
        Execute($"CREATE VIEW events AS SELECT * FROM read_parquet('{_path}', file_row_number = true)");
    }

    public DuckDBConnection DuckDb { get; }

    public string FileName => _path;

    public static ParquetOnDisk Of(IEnumerable<EventModel> models, int rowsPerGroup = RawEventBuffer.DefaultRowsPerGroup)
    {
        using var buffer = new RawEventBuffer(rowsPerGroup);
        foreach (var model in models)
            model.AppendTo(buffer);
        using var file = ParquetSerializer.Serialize(buffer, ArchivedAt);
        return new(file);
    }

    public void Execute(string sql)
    {
        using var command = DuckDb.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public object?[][] Query(string sql) => Query(DuckDb, sql);

    public static object?[][] Query(DuckDBConnection duckDb, string sql)
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

    public void Dispose()
    {
        DuckDb.Dispose();
        File.Delete(_path);
    }
}

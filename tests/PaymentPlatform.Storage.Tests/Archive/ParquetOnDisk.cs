using DuckDB.NET.Data;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Testing;

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

    public void Execute(string sql) => DuckDb.Execute(sql);

    public object?[][] Query(string sql) => DuckDb.Query(sql);

    public void Dispose()
    {
        DuckDb.Dispose();
        File.Delete(_path);
    }
}

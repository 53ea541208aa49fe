using System.Globalization;
using System.Text;
using DuckDB.NET.Data;
using PaymentPlatform.Storage.Archive.Parquet;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Storage.Tests.Archive;

/// <summary>Statistics let readers skip row groups; wrong ones lose rows without a word.</summary>
public sealed class ParquetStatisticsTests
{
    private const int Rows = 10_000;
    private const int RowsPerGroup = 500;

    private static readonly string[] s_withoutBounds = ["raw_payload"];

    [Fact]
    public void Filter_RandomRangesOfEachColumn_SameAsScanWithoutStatistics()
    {
        using var file = ParquetOnDisk.Of(EventModels.Mixed(21, Rows), RowsPerGroup);

        var found = ColumnFilters.AssertSameAsScan(file.DuckDb, filters: 200, seed: 22);

        Assert.True(found > Rows, "The filters find next to nothing: they test nothing.");
    }

    [Fact]
    public void Statistics_OfEachRowGroup_BoundItsValuesAndCountItsNulls()
    {
        using var file = ParquetOnDisk.Of(EventModels.Mixed(23, Rows), RowsPerGroup);
        // DuckDB answers min and max of a file from the statistics themselves: the truth has to come from a table.
        file.Execute("CREATE TABLE plain AS SELECT * FROM events");
        foreach (var column in ArchiveSchema.Columns)
        {
            var chunks = file.Query($"""
                SELECT row_group_id, row_group_num_rows, stats_min_value, stats_max_value, stats_null_count
                FROM parquet_metadata('{file.FileName}') WHERE path_in_schema = '{column.Name}' ORDER BY row_group_id
                """);
            Assert.Equal(Rows / RowsPerGroup, chunks.Length);
            foreach (var chunk in chunks)
            {
                var from = (long)chunk[0]! * RowsPerGroup;
                var text = column.Annotation == Annotation.Text;
                var values = file.Query($"SELECT {column.Name}{(text || column.Type == PhysicalType.ByteArray ? "" : "::VARCHAR")} FROM plain WHERE file_row_number >= {from} AND file_row_number < {from + RowsPerGroup}");
                Assert.Equal((long)values.Count(v => v[0] is null), chunk[4]);
                if (s_withoutBounds.Contains(column.Name) || values.All(v => v[0] is null))
                {
                    Assert.Null(chunk[2]);
                    continue;
                }

                Assert.NotNull(chunk[2]);
                Assert.NotNull(chunk[3]);
                if (text)
                    AssertBounds([.. values.Where(v => v[0] is not null).Select(v => (string)v[0]!)], (string)chunk[2]!, (string)chunk[3]!);
                else
                    AssertExact(file, column.Name, from, chunk);
            }
        }
    }

    [Theory]
    [InlineData("enqueued_at", "enqueued_at = make_timestamptz({0})")]
    [InlineData("stream_offset", "stream_offset BETWEEN 5000 AND 5010")]
    public void Filter_RangeOfOneRowGroup_OtherRowGroupsAreNotRead(string column, string filter)
    {
        var models = EventModels.Ordinary(24, Rows);
        using var file = ParquetOnDisk.Of(models, RowsPerGroup);
        var query = $"SELECT count(*), sum(length(metadata)) FROM events WHERE {string.Format(CultureInfo.InvariantCulture, filter, models[Rows / 2].EnqueuedAt)}";
        var expected = file.Query(query)[0];
        Assert.NotEqual(0L, expected[0]);

        // Whoever reads one of the other row groups now meets rubbish.
        var chunks = file.Query($"""
            SELECT coalesce(dictionary_page_offset, data_page_offset), total_compressed_size FROM parquet_metadata('{file.FileName}')
            WHERE row_group_id <> {Rows / 2 / RowsPerGroup} AND path_in_schema IN ('{column}', 'metadata')
            """);
        Assert.Equal(2 * ((Rows / RowsPerGroup) - 1), chunks.Length);
        using (var target = File.OpenWrite(file.FileName))
        {
            foreach (var chunk in chunks)
            {
                target.Position = (long)chunk[0]!;
                target.Write(Enumerable.Repeat((byte)0xFF, (int)(long)chunk[1]!).ToArray());
            }
        }

        using var fresh = new DuckDBConnection("Data Source=:memory:");
        fresh.Open();
        Assert.Equal(expected, fresh.Query(query.Replace("events", $"read_parquet('{file.FileName}')"))[0]);
        Assert.Throws<DuckDBException>(() => fresh.Query($"SELECT sum(length(metadata)) FROM read_parquet('{file.FileName}')"));
    }

    [Fact]
    public void MinMax_LongTexts_AreTheValuesNotTheShortenedBounds()
    {
        string[] names = [new string('m', 200), new string('m', 199) + "😀", "n" + new string('\uFFFD', 100), new string('é', 100)];
        using var file = ParquetOnDisk.Of(names.Select((name, i) => new EventModel
        {
            Offset = i,
            Texts = [.. EventModel.TextColumns.Select(c => c == "merchant_name" ? name : null)],
        }));
        var row = file.Query("SELECT min(merchant_name), max(merchant_name) FROM events")[0];
        var sorted = names.OrderBy(n => n, s_byteOrder).ToArray();
        Assert.Equal([sorted[0], sorted[^1]], row);
        var exact = file.Query($"SELECT min_is_exact, max_is_exact FROM parquet_metadata('{file.FileName}') WHERE path_in_schema = 'merchant_name'")[0];
        Assert.Equal([false, false], exact);
    }

    [Theory]
    [InlineData("short", "short", "short")]
    [InlineData("", "", "")]
    public void Bounds_ShortText_Exact(string value, string lower, string upper)
    {
        Assert.Equal(lower, Encoding.UTF8.GetString(Utf8Bounds.Lower(Encoding.UTF8.GetBytes(value), out var minExact)));
        Assert.Equal(upper, Encoding.UTF8.GetString(Utf8Bounds.Upper(Encoding.UTF8.GetBytes(value), out var maxExact)));
        Assert.True(minExact && maxExact);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("\u007F")]
    [InlineData("\u07FF")]
    [InlineData("\uD7FF")]
    [InlineData("\uFFFF")]
    [InlineData("\U0010FFFF")]
    [InlineData("😀")]
    [InlineData("abc\U0010FFFF")]
    public void Bounds_LongText_ValidAndAround(string unit)
    {
        var value = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(unit, 80)));
        var lower = Utf8Bounds.Lower(value, out _);
        var upper = Utf8Bounds.Upper(value, out var exact);
        Assert.True(lower.AsSpan().SequenceCompareTo(value) <= 0);
        Assert.True(upper.AsSpan().SequenceCompareTo(value) >= 0);
        Assert.Equal(exact, upper.AsSpan().SequenceEqual(value));
        Assert.True(System.Text.Unicode.Utf8.IsValid(lower) && System.Text.Unicode.Utf8.IsValid(upper));
        Assert.True(unit == "\U0010FFFF" || upper.Length <= Utf8Bounds.MaxBytes + 4);
    }

    private static readonly Comparer<string> s_byteOrder = Comparer<string>.Create((a, b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)));

    private static void AssertBounds(string[] values, string min, string max)
    {
        var smallest = values.Min(s_byteOrder)!;
        var largest = values.Max(s_byteOrder)!;
        if (Encoding.UTF8.GetByteCount(smallest) <= Utf8Bounds.MaxBytes)
            Assert.Equal(smallest, min);
        if (Encoding.UTF8.GetByteCount(largest) <= Utf8Bounds.MaxBytes)
            Assert.Equal(largest, max);
        Assert.True(s_byteOrder.Compare(min, smallest) <= 0);
        Assert.True(s_byteOrder.Compare(max, largest) >= 0);
    }

    private static void AssertExact(ParquetOnDisk file, string column, long from, object?[] chunk)
    {
        var type = (string)file.Query($"SELECT typeof({column}) FROM events LIMIT 1")[0][0]!;
        string Quote(object? text) => string.Create(CultureInfo.InvariantCulture, $"'{text}'::{type}");
        var equal = file.Query($"""
            SELECT min({column}) = {Quote(chunk[2])} AND max({column}) = {Quote(chunk[3])}
            FROM plain WHERE file_row_number >= {from} AND file_row_number < {from + RowsPerGroup}
            """)[0][0];
        Assert.True((bool)equal!, $"{column} from row {from}: {chunk[2]} … {chunk[3]}");
    }
}

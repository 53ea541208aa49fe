using DuckDB.NET.Data;
using Xunit;

namespace PaymentPlatform.Testing;

/// <summary>Statistics let readers skip row groups; wrong ones lose rows without a word.</summary>
public static class ColumnFilters
{
    /// <summary>Random filters over the columns of <c>events</c>, in turn, find what they find in a table, which knows no file's statistics.</summary>
    /// <param name="duckDb">Has the view <c>events</c> over archive files.</param>
    /// <returns>How many rows the filters found in all.</returns>
    public static long AssertSameAsScan(DuckDBConnection duckDb, int filters, int seed)
    {
        duckDb.Execute("CREATE TABLE plain AS SELECT * FROM events");
        var random = new Random(seed);
        // A column of nulls has no values to look for.
        var columns = duckDb.Query("SELECT column_name, column_type FROM (DESCRIBE plain) WHERE column_name <> 'raw_payload'")
            .Select(c => (Name: (string)c[0]!, Type: (string)c[1]!))
            .Where(c => (long)duckDb.Query($"SELECT count({c.Name}) FROM plain")[0][0]! > 0).ToArray();
        var found = 0L;
        for (var i = 0; i < filters; i++)
        {
            var (name, type) = columns[i % columns.Length];
            var filter = Filter(duckDb, random, name, type);
            var expected = Find("plain");
            var actual = Find("events");
            Assert.True(expected.SequenceEqual(actual), $"{filter}: {actual[0]} rows instead of {expected[0]}");
            found += (long)expected[0]!;

            object?[] Find(string table) => duckDb.Query($"SELECT count(*), bit_xor(hash(stream_partition, stream_offset)) FROM {table} WHERE {filter}")[0];
        }

        return found;
    }

    private static string Filter(DuckDBConnection duckDb, Random random, string column, string type)
    {
        return random.Next(6) switch
        {
            0 => $"{column} = ({Literal()})",
            1 => $"{column} >= ({Literal()})",
            2 => $"{column} < ({Literal()})",
            3 => $"({column} <= ({Literal()}) OR {column} IS NULL)",
            4 => $"{column} BETWEEN least({Literal()}, {Literal()}) AND greatest({Literal()}, {Literal()})",
            _ => $"{column} IN ({Literal()}, {Literal()})",
        };

        string Literal()
        {
            var value = (string)duckDb.Query($"SELECT {column}::VARCHAR FROM plain WHERE {column} IS NOT NULL ORDER BY hash(stream_partition, stream_offset, {random.Next(1_000_000)}) LIMIT 1")[0][0]!;
            return $"'{value.Replace("'", "''", StringComparison.Ordinal).Replace("\0", "' || chr(0) || '", StringComparison.Ordinal)}'::{type}";
        }
    }
}

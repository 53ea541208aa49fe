using System.Buffers;
using System.Text;
using DuckDB.NET.Data;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Archive.Parquet;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Storage.Tests.Archive;

/// <summary>A filter that forgets a value hides events from every look-up.</summary>
public sealed class TransactionIdFiltersTests
{
    [Theory]
    [InlineData(1, 100_000, RawEventBuffer.DefaultRowsPerGroup)]
    [InlineData(2, 60_000, RawEventBuffer.DefaultRowsPerGroup)]
    [InlineData(3, 5_000, 700)]
    [InlineData(4, 1, 10)]
    public void Read_EveryIdIsInItsRowGroup_AndFewOthersAre(int seed, int count, int rowsPerGroup)
    {
        var models = EventModels.Ordinary(seed, count);
        var filters = Filters(models, rowsPerGroup);
        Assert.Equal((count + rowsPerGroup - 1) / rowsPerGroup, filters.BlockCounts.Count);
        for (var i = 0; i < models.Length; i++)
            Assert.True(MayBeIn(filters, i / rowsPerGroup, models[i].Texts[0]!), $"Event {i} is missing.");

        const int absent = 50_000;
        var passed = Enumerable.Range(0, absent).Sum(i => Enumerable.Range(0, filters.BlockCounts.Count).Count(group => MayBeIn(filters, group, $"absent-{i}")));
        // What is asked for, and room for chance.
        Assert.InRange(passed / (double)(absent * filters.BlockCounts.Count), 0, 1.2 * BloomFilterBuilder.MaxFalsePositives);
    }

    [Fact]
    public void Read_OddIds_EveryOneIsIn()
    {
        // Nulls, the empty one, not ASCII, long; dictionaries that become plain.
        var models = EventModels.Mixed(5, 5000);
        var filters = Filters(models, 700);
        for (var i = 0; i < models.Length; i++)
        {
            if (models[i].Texts[0] is { } id)
                Assert.True(MayBeIn(filters, i / 700, id), id);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(100, 16)]
    [InlineData(10_000, 1024)]
    [InlineData(25_000, 2048)]
    public void Read_DistinctIds_SizeFollowsThem(int distinct, int mostBlocks)
    {
        var ids = EventModels.Ordinary(6, distinct);
        var filters = Filters([.. Enumerable.Range(0, 25_000).Select(i => ids[i % distinct] with { Offset = i })]);
        Assert.InRange(Assert.Single(filters.BlockCounts), 1, mostBlocks);
    }

    [Fact]
    public void Read_NoIds_NothingPasses()
    {
        var filters = Filters([.. Enumerable.Range(0, 100).Select(i => new EventModel { Offset = i })]);
        Assert.False(MayBeIn(filters, 0, "a"));
        Assert.False(MayBeIn(filters, 0, ""));
    }

    [Fact]
    public void Probe_InDuckDb_ExcludesTheSameRowGroups()
    {
        var models = EventModels.Ordinary(7, 60_000);
        using var disk = ParquetOnDisk.Of(models);
        var filters = Read(File.ReadAllBytes(disk.FileName), models.Length);
        var random = new Random(7);
        var (excluded, passed) = (0, 0);
        for (var i = 0; i < 1000; i++)
        {
            var id = i % 2 == 0 ? models[random.Next(models.Length)].Texts[0]! : new Guid(EventModels.RandomBytes(random, 16)).ToString();
            foreach (var row in disk.Query($"SELECT row_group_id, bloom_filter_excludes FROM parquet_bloom_probe('{disk.FileName}', 'transaction_id', '{id}')"))
            {
                var ours = MayBeIn(filters, Convert.ToInt32(row[0]), id);
                Assert.Equal(!(bool)row[1]!, ours);
                _ = ours ? passed++ : excluded++;
            }
        }

        Assert.InRange(passed, 500, 510);
        Assert.Equal(3000, passed + excluded);
    }

    [Fact]
    public void Read_FileOfAnotherWriter_HasNone()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.parquet");
        using var duckDb = new DuckDBConnection("Data Source=:memory:");
        duckDb.Open();
        duckDb.Execute($"COPY (SELECT 'id-' || (i // 10) AS transaction_id FROM range(5000) t(i)) TO '{path}' (FORMAT parquet)");
        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        Assert.Null(TransactionIdFilters.Read(bytes, bytes.Length, 5000, out var needed));
        Assert.Equal(0, needed);
    }

    [Fact]
    public void Read_TailTooShort_SaysWhatIsNeeded()
    {
        var file = Bytes(EventModels.Ordinary(8, 60_000));
        Assert.Null(TransactionIdFilters.Read(file.AsSpan(^8..), file.Length, 60_000, out var footer));
        Assert.Null(TransactionIdFilters.Read(file.AsSpan(^(int)footer..), file.Length, 60_000, out var all));
        Assert.NotNull(TransactionIdFilters.Read(file.AsSpan(^(int)all..), file.Length, 60_000, out var more));
        Assert.Equal(0, more);
        Assert.InRange(all, footer + 1, TransactionIdFilters.EstimateBytes(60_000, file.Length));
    }

    [Fact]
    public void Read_OneBitFlipped_FaultOrTheSameFilters()
    {
        const int rows = 3000;
        var file = Bytes(EventModels.Ordinary(9, rows), 1000);
        var sound = Read(file, rows);
        Assert.Null(TransactionIdFilters.Read(file.AsSpan(^8..), file.Length, rows, out var footer));
        Assert.Null(TransactionIdFilters.Read(file.AsSpan(^(int)footer..), file.Length, rows, out var tail));
        var faults = 0;
        var random = new Random(9);
        for (var i = 0; i < 20_000; i++)
        {
            var bit = random.Next(8 * (int)tail);
            ref var at = ref file[file.Length - 1 - (bit / 8)];
            at ^= (byte)(1 << (bit % 8));
            try
            {
                if (TransactionIdFilters.Read(file.AsSpan(^(int)tail..), file.Length, rows, out var needed) is { } read)
                    Assert.True(read.Bits.AsSpan().SequenceEqual(sound.Bits) && read.BlockCounts.SequenceEqual(sound.BlockCounts), $"Bit {bit} from the end changes the filters unnoticed.");
                else
                    Assert.True(needed >= 0);
            }
            catch (InvalidDataException)
            {
                faults++;
            }

            at ^= (byte)(1 << (bit % 8));
        }

        Assert.NotEqual(0, faults);
    }

    private static bool MayBeIn(TransactionIdFilters filters, int group, string id)
    {
        var start = filters.BlockCounts.Take(group).Sum() * BloomProbe.BlockBytes;
        return new BloomProbe(Encoding.UTF8.GetBytes(id)).MayBeIn(filters.Bits.AsSpan(start, filters.BlockCounts[group] * BloomProbe.BlockBytes));
    }

    private static TransactionIdFilters Filters(EventModel[] models, int rowsPerGroup = RawEventBuffer.DefaultRowsPerGroup) => Read(Bytes(models, rowsPerGroup), models.Length);

    private static TransactionIdFilters Read(byte[] file, long rows)
    {
        var filters = TransactionIdFilters.Read(file, file.Length, rows, out var needed);
        Assert.Equal(0, needed);
        return Assert.IsType<TransactionIdFilters>(filters);
    }

    private static byte[] Bytes(EventModel[] models, int rowsPerGroup = RawEventBuffer.DefaultRowsPerGroup)
    {
        using var buffer = new RawEventBuffer(rowsPerGroup);
        foreach (var model in models)
            model.AppendTo(buffer);
        using var file = ParquetSerializer.Serialize(buffer, 1);
        return file.Content.ToArray();
    }
}

using CsCheck;
using PaymentPlatform.BlobArchiver.Compaction;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests.Compaction;

public sealed class CompactionPlanTests
{
    [Fact]
    public void Of_AnyFiles_KeepsAnOrderInWhichEachPartitionsOffsetsAscend()
    {
        // Owners of the partitions change, a file is of any of them; a third of the files are large.
        var files = Gen.Select(Gen.Int[0, 15], Gen.Int[1, 60], Gen.Int[0, 2]).Select((partitions, rows, large) => (Partitions: partitions, Rows: rows, IsSmall: large > 0)).Array[1, 40];
        files.ForEach(20261127, 500, written =>
        {
            var all = Write(written);
            var batches = CompactionPlan.Of(all, maxBytes: 1000, maxRows: 100);
            Assert.All(batches, batch =>
            {
                Assert.InRange(batch.Count, 2, int.MaxValue);
                Assert.All(batch, f => Assert.True(f.IsSmall));
                Assert.InRange(batch.Sum(f => f.Rows), 0, 100);
            });
            var merged = batches.SelectMany(b => b).ToList();
            Assert.Equal(merged.Count, merged.Distinct().Count());
            AssertOrdered([.. all.Except(merged).Select(f => CompactionPlan.Ranges([f])), .. batches.Select(CompactionPlan.Ranges)]);
        });
    }

    [Fact]
    public void Of_FilesThatHoldPartsOfEachOthersSpans_AreLeftOut()
    {
        var (p, q) = (new StreamPartition("s", "l", 0), new StreamPartition("s", "l", 1));
        MergeFile[] files = [File(1, new(p, 0, 10), new(p, 20, 30)), File(2, new OffsetRange(p, 10, 20)), File(3, new OffsetRange(q, 0, 10)), File(4, new OffsetRange(q, 10, 20))];
        Assert.Equal([[3, 4]], CompactionPlan.Of(files, 1000, 1000).Select(b => b.Select(Number)));
    }

    [Fact]
    public void Of_LargeFilesOfAnotherPartition_AreNoHindrance()
    {
        var (p, q) = (new StreamPartition("s", "l", 0), new StreamPartition("s", "l", 1));
        var files = new List<MergeFile>();
        for (var i = 0; i < 6; i += 2)
            files.AddRange([File(i, new OffsetRange(p, i, i + 1)), File(i + 1, new OffsetRange(q, i, i + 100)) with { IsSmall = false, Rows = 90 }]);
        Assert.Equal([[0, 2, 4]], CompactionPlan.Of(files, 1000, 100).Select(b => b.Select(Number)));
    }

    private static List<MergeFile> Write((int Partitions, int Rows, bool IsSmall)[] written)
    {
        var next = new long[4];
        var files = new List<MergeFile>();
        foreach (var (partitions, rows, isSmall) in written)
        {
            var ranges = new List<OffsetRange>();
            for (var p = 0; p < next.Length; p++)
            {
                if ((partitions >> p & 1) == 1)
                    ranges.Add(new(new("s", "l", p), next[p], next[p] += rows));
            }

            if (ranges.Count > 0)
                files.Add(File(files.Count, [.. ranges]) with { IsSmall = isSmall && rows * ranges.Count < 50, Rows = rows * ranges.Count });
        }

        return files;
    }

    private static void AssertOrdered(List<List<OffsetRange>> files)
    {
        while (files.Count > 0)
        {
            var ready = files.FindAll(file => file.All(range => !files.Any(other => other != file && other.Any(r => r.Partition == range.Partition && r.From < range.From))));
            Assert.NotEmpty(ready);
            files = [.. files.Except(ready)];
        }
    }

    private static MergeFile File(int number, params OffsetRange[] ranges) => new(new Guid(number, 0, 0, new byte[8]), $"{number}", ranges.Sum(r => r.To - r.From), 1, [], true, ranges);

    private static int Number(MergeFile file) => int.Parse(file.BlobName);
}

using PaymentPlatform.Metrics.Rebuild;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Tests;

public sealed class RebuildOrderTests
{
    [Fact]
    public void Of_FilesOfOneArchiver_OneByOne()
    {
        var files = Enumerable.Range(0, 1_000).Select(i => File(i, (0, i * 10, i * 10 + 10), (1, i * 7, i * 7 + 7))).ToList();

        Assert.Equal(files.Select(f => f.BlobName), Names(RebuildOrder.Of([.. files.AsEnumerable().Reverse()])));
    }

    [Fact]
    public void Of_TwoFilesThatHoldPartsOfEachOthersSpan_OnlyTheyAreReadTogether()
    {
        RebuildFile[] before = [File(0, (0, 0, 10)), File(1, (1, 0, 10))];
        RebuildFile[] cycle = [File(2, (0, 10, 20), (1, 20, 30)), File(3, (0, 20, 30), (1, 10, 20))];
        var after = Enumerable.Range(4, 500).Select(i => File(i, (0, i * 10, i * 10 + 10), (1, i * 10, i * 10 + 10)));

        var groups = RebuildOrder.Of([.. after, .. cycle, .. before]);

        Assert.Equal(["0", "1", "2+3", .. Enumerable.Range(4, 500).Select(i => $"{i}")], Names(groups));
    }

    [Fact]
    public void Of_FileBetweenTwoRangesOfAnother_IsReadWithIt() =>
        Assert.Equal(["0+1", "2"], Names(RebuildOrder.Of([File(2, (0, 30, 40)), File(1, (0, 10, 20)), File(0, (0, 0, 10), (0, 20, 30))])));

    [Fact]
    public void Of_RandomFilesWithCycles_EachOnceInOrderAndTogetherOnlyWhatMustBe()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var next = new long[4];
            var ranges = Enumerable.Range(0, 12).Select(_ => new List<(int, long, long)>()).ToArray();
            for (var i = 0; i < 40; i++)
            {
                var partition = random.Next(next.Length);
                // Mostly in the order of the files.
                var file = Math.Clamp(i * ranges.Length / 40 + random.Next(-1, 2), 0, ranges.Length - 1);
                ranges[file].Add((partition, next[partition], next[partition] += random.Next(1, 10)));
            }

            var files = ranges.Index().Where(r => r.Item.Count > 0).Select(r => File(r.Index, [.. r.Item])).ToList();

            var groups = RebuildOrder.Of([.. files.OrderBy(_ => random.Next())]);

            Assert.Equal(files.Select(f => f.Id), groups.SelectMany(g => g).Select(f => f.Id).Order());
            var position = groups.Index().SelectMany(g => g.Item.Select(f => (f.Id, g.Index))).ToDictionary();
            var mustPrecede = files.SelectMany(a => files.Where(b => a.Ranges.Any(r => b.Ranges.Any(s => a != b && r.Partition == s.Partition && r.From < s.From))).Select(b => (a.Id, b.Id))).ToHashSet();
            Assert.All(mustPrecede, pair => Assert.True(position[pair.Item1] <= position[pair.Item2], $"seed {seed}"));
            foreach (var group in groups.Where(g => g.Count > 1))
                Assert.All(group, a => Assert.All(group, b => Assert.True(a == b || Reaches(mustPrecede, a.Id, b.Id), $"seed {seed}")));
        }
    }

    private static bool Reaches(HashSet<(Guid From, Guid To)> edges, Guid from, Guid to)
    {
        var seen = new HashSet<Guid> { from };
        var queue = new Queue<Guid>(seen);
        while (queue.TryDequeue(out var file))
        {
            foreach (var (_, next) in edges.Where(e => e.From == file))
            {
                if (seen.Add(next))
                    queue.Enqueue(next);
            }
        }

        return seen.Contains(to);
    }

    private static IEnumerable<string> Names(List<List<RebuildFile>> groups) => groups.Select(g => string.Join('+', g.Select(f => f.BlobName).Order(StringComparer.Ordinal)));

    private static RebuildFile File(int number, params (int Partition, long From, long To)[] ranges) =>
        new(new(number, 0, 0, new byte[8]), $"{number}", [], 1, [.. ranges.Select(r => new OffsetRange(new("payments", "log-1", r.Partition), r.From, r.To))]);
}

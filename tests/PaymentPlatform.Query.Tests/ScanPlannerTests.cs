namespace PaymentPlatform.Query.Tests;

public sealed class ScanPlannerTests
{
    [Fact]
    public void Plan_RandomFiles_CoversEachInstantOnceWithItsFiles()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var files = Enumerable.Range(0, random.Next(1, 30)).Select(i =>
            {
                var max = random.NextInt64(1000);
                return new ArchiveFile($"f{i}", random.Next(1, 300), random.Next(1, 1000), $"{i}", Math.Max(0, max - random.NextInt64(random.Next(4) == 0 ? 900 : 50)), max);
            }).ToList();
            long? from = random.Next(2) == 0 ? null : random.NextInt64(500);
            long? to = random.Next(2) == 0 ? null : (from ?? 0) + random.NextInt64(600);
            var live = files.Where(f => f.Max >= (from ?? long.MinValue) && f.Min < (to ?? long.MaxValue)).ToList();

            var slices = ScanPlanner.Plan(live, from, to, 200, 5, 2000).ToList();

            for (var i = 0; i < slices.Count; i++)
            {
                Assert.True(slices[i].From < slices[i].To);
                Assert.True(i == 0 || slices[i - 1].To <= slices[i].From);
                Assert.Equal(live.Where(f => f.Min < slices[i].To && f.Max >= slices[i].From).OrderBy(f => f.BlobName), slices[i].Files.OrderBy(f => f.BlobName));
            }

            foreach (var file in live)
            {
                for (var t = Math.Max(file.Min, from ?? 0); t <= file.Max && t < (to ?? long.MaxValue); t++)
                    Assert.Single(slices, s => s.From <= t && t < s.To);
            }
        }
    }

    [Fact]
    public void PlanLookup_FilesOfManyRows_EachIsReadOnce()
    {
        ArchiveFile[] files = [new("f0", 10_000_000, 1000, "0", 0, 1000), new("f1", 100_000, 1000, "1", 500, 1500)];
        Assert.Equal(files, Assert.Single(ScanPlanner.PlanLookup(files, new())).Files);
        Assert.True(ScanPlanner.Plan(files, null, null, new()).Count() > 100);
    }

    [Fact]
    public void Plan_FilesInSequence_BoundsEachSlice()
    {
        var files = Enumerable.Range(0, 1000).Select(i => new ArchiveFile($"f{i}", 100, 10, $"{i}", i * 100, (i * 100) + 99)).ToList();
        // One late event stretches a file's beginning, and nobody else's slice.
        files[900] = files[900] with { Min = 0 };
        var slices = ScanPlanner.Plan(files, null, null, 1000, 500, long.MaxValue).ToList();
        Assert.Equal(100, slices.Count);
        Assert.All(slices, s => Assert.InRange(s.Files.Count, 10, 11));
    }

    [Fact]
    public void Plan_OneLargeFile_IsReadInParts()
    {
        var slices = ScanPlanner.Plan([new("f", 10_000, 10, "", 0, 99_999)], null, null, 1000, 500, long.MaxValue).ToList();
        Assert.Equal(10, slices.Count);
        Assert.Equal((0, 100_000), (slices[0].From, slices[^1].To));
    }

    [Fact]
    public void Plan_NoFiles_NoSlices() => Assert.Empty(ScanPlanner.Plan([], 0, 10, 1, 1, 1));
}

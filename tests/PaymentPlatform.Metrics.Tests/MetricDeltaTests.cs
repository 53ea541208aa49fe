using System.Buffers;
using System.Text;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.MetricEngine.Sketches;
using PaymentPlatform.Metrics.Deltas;

namespace PaymentPlatform.Metrics.Tests;

public sealed class MetricDeltaTests
{
    private static readonly string[] Countries = ["DE", "fr", "", "ZZ", "Atlantis", "JP"];

    [Fact]
    public void Merge_AnySplitAndOrder_EqualsOneDeltaByteByByte()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var steps = Steps(random, 800);
            var whole = new MetricDelta();
            foreach (var step in steps)
                step(whole);
            var expected = Bytes(whole);

            var parts = Enumerable.Range(0, 1 + random.Next(6)).Select(_ => new MetricDelta()).ToArray();
            random.Shuffle(steps);
            foreach (var step in steps)
                step(parts[random.Next(parts.Length)]);
            var merged = new MetricDelta();
            foreach (var part in parts)
                merged.Merge(Bytes(part));

            Assert.Equal(expected, Bytes(merged));
        }
    }

    [Fact]
    public void Histograms_ThreeLengthsOfWindow_HoldEachEvent()
    {
        var delta = new MetricDelta();
        foreach (var step in Steps(new(5), 500))
            step(delta);

        foreach (var group in delta.Histograms().Where(h => h.MetricType == "transaction_amount").GroupBy(h => h.WindowEnd - h.WindowStart))
        {
            Assert.Equal(500, group.Sum(h => h.Sketch.Count));
            Assert.All(group, h => Assert.Equal(0, h.WindowStart % group.Key));
        }

        Assert.Equal(500, delta.Figures().Sum(f => f.Countries.Values.Sum()));
        Assert.Equal(["DE", "FR", "JP", "other", "unknown"], delta.Figures().SelectMany(f => f.Countries.Keys).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Samples_ManyEvents_TheLowestHashes()
    {
        var random = new Random(3);
        var delta = new MetricDelta();
        var key = delta.IdOf(new(0, "credit_card", "EUR", "completed"));
        var hashes = Enumerable.Range(0, 5_000).Select(_ => (ulong)random.NextInt64()).ToArray();
        foreach (var hash in hashes)
            delta.AddEvent(key, 10_000, -1, default, default, default, hash);

        Assert.Equal(hashes.Order().Take(ClusterSample.Size), Assert.Single(delta.Samples).Value.Items.Select(i => i.Hash));
    }

    [Fact]
    public void AddBucket_ParallelParts_AddUp()
    {
        var delta = new MetricDelta();
        var bucket = new RuleBucket("r", 1, MetricType.Average, "EUR", 0, 300_000_000);
        delta.AddBucket(bucket, new() { Count = 3, Matched = 1, Sum = 70_000, Min = 10_000, Max = 40_000 });
        delta.AddBucket(bucket, new() { Count = 1, Matched = 1, Sum = -5, Min = -5, Max = -5 });
        delta.AddBucket(bucket with { RuleVersion = 2 }, new() { Count = 1, Matched = 1, Sum = 1, Min = 1, Max = 1 });

        Assert.Equal(
            [("1", new BucketValues { Count = 4, Matched = 2, Sum = 69_995, Min = -5, Max = 40_000 }), ("2", new() { Count = 1, Matched = 1, Sum = 1, Min = 1, Max = 1 })],
            delta.Buckets().Select(b => (b.Version, b.Values)));
    }

    [Fact]
    public void AddBucket_TextsThatTheDatabaseCanNotHold_AreMadeFit()
    {
        var delta = new MetricDelta();
        delta.AddBucket(new("r", 1, MetricType.Count, "a\0b" + new string('x', 5_000), 0, 1), new() { Count = 1 });
        delta.AddBucket(new("r", 1, MetricType.Count, "a\ud800b" + new string('x', 5_000), 0, 1), new() { Count = 2 });
        var bucket = Assert.Single(delta.Buckets());
        Assert.Equal(800, bucket.Bucket.GroupKey.Length);
        Assert.DoesNotContain('\0', bucket.Bucket.GroupKey);
        Assert.Equal(3, bucket.Values.Count);
    }

    [Fact]
    public void Merge_HostileBytes_ClearException()
    {
        var delta = new MetricDelta();
        foreach (var step in Steps(new(2), 60))
            step(delta);
        var good = Bytes(delta);
        for (var length = 0; length < good.Length; length++)
            Assert.Throws<SketchFormatException>(() => new MetricDelta().Merge(good.AsSpan(0, length)));
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var bad = (byte[])good.Clone();
            for (var j = random.Next(4); j >= 0; j--)
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            try
            {
                var read = new MetricDelta();
                read.Merge(bad);
                // What can be read can be folded.
                read.Histograms();
                read.Figures();
            }
            catch (SketchFormatException)
            {
            }
        }
    }

    [Fact]
    public void Clear_UsedAgain_StartsFromNothing()
    {
        var (used, fresh) = (new MetricDelta(), new MetricDelta());
        foreach (var step in Steps(new(8), 600))
            step(used);
        used.Clear();
        Assert.True(used.IsEmpty);
        foreach (var step in Steps(new(9), 600))
        {
            step(used);
            step(fresh);
        }

        Assert.Equal(Bytes(fresh), Bytes(used));
    }

    private static Action<MetricDelta>[] Steps(Random random, int count) =>
    [
        .. Enumerable.Range(0, count).Select(_ =>
        {
            var key = new FigureKey((random.Next(700) - 100) * MetricWindow.Micros, random.Next(2) == 0 ? "credit_card" : "现金,=", random.Next(2) == 0 ? "EUR" : "JPY", "completed");
            var (amount, latency, customer, merchant, country, hash) = (random.NextInt64(1, 1L << random.Next(1, 62)), random.NextInt64(-1_000, 10_000_000), $"C{random.Next(100)}", $"M{random.Next(20)}", Countries[random.Next(Countries.Length)], (ulong)random.Next(2_000));
            return (Action<MetricDelta>)(delta => delta.AddEvent(delta.IdOf(key), amount, latency, Utf8(customer), Utf8(merchant), Utf8(country), hash));
        }),
        .. Enumerable.Range(0, count / 4).Select(_ =>
        {
            var (start, group, value) = (random.Next(5) * 1_000L, $"g{random.Next(5)}", random.Next(-100, 100));
            return (Action<MetricDelta>)(delta => delta.AddBucket(new("rule", 1, MetricType.Sum, group, start, start + 1_000), new() { Count = 1, Sum = value, Min = value, Max = value }));
        }),
    ];

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Bytes(MetricDelta delta)
    {
        var output = new ArrayBufferWriter<byte>();
        delta.Write(output);
        return output.WrittenSpan.ToArray();
    }
}

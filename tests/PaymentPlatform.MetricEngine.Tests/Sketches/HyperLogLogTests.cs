using System.Text;
using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.MetricEngine.Tests.Sketches;

public sealed class HyperLogLogTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(4_000)]
    [InlineData(4_200)]
    [InlineData(10_000)]
    [InlineData(30_000)]
    [InlineData(80_000)]
    [InlineData(150_000)]
    [InlineData(1_000_000)]
    public void Estimate_UniqueTexts_WithinTwoPercent(int count)
    {
        for (var seed = 0; seed < 8; seed++)
        {
            var sketch = new HyperLogLog();
            for (var i = 0; i < count; i++)
                sketch.Add(Encoding.UTF8.GetBytes($"customer-{seed}-{i}"));
            // Texts that came before change nothing.
            for (var i = 0; i < count; i += 3)
                sketch.Add(Encoding.UTF8.GetBytes($"customer-{seed}-{i}"));

            var error = Math.Abs(sketch.Estimate() - (double)count) / Math.Max(1, count);
            Assert.True(error <= 0.02, $"{count}, seed {seed}: {sketch.Estimate()} ({error:P2})");
            if (count <= 1_000)
                Assert.Equal(count, sketch.Estimate());
        }
    }

    [Theory]
    [InlineData(50)]
    [InlineData(4_050)]
    [InlineData(4_200)]
    [InlineData(60_000)]
    public void Merge_AnySplitAndOrder_EqualsTheUnionByteByByte(int count)
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            var texts = Enumerable.Range(0, count).Select(i => Encoding.UTF8.GetBytes($"{seed}/{i}")).ToArray();
            var union = Sketch(texts).ToBytes();

            var parts = Enumerable.Range(0, 5).Select(_ => new HyperLogLog()).ToArray();
            foreach (var text in texts)
            {
                // Some are in several parts, and the first part has most of them: it may be dense alone.
                for (var i = random.Next(3); i >= 0; i--)
                    parts[random.Next(2) == 0 ? 0 : random.Next(parts.Length)].Add(text);
            }

            random.Shuffle(parts);
            var merged = new HyperLogLog();
            foreach (var part in parts)
            {
                if (random.Next(2) == 0)
                    merged.Merge(part);
                else
                    merged.MergeBytes(part.ToBytes());
            }

            Assert.Equal(union, merged.ToBytes());
            random.Shuffle(texts);
            Assert.Equal(union, Sketch(texts).ToBytes());
            Assert.Equal(union, HyperLogLog.FromBytes(union).ToBytes());
        }
    }

    [Fact]
    public void Merge_ItsOwnBytesAgain_ChangesNothing()
    {
        var sketch = Sketch(Enumerable.Range(0, 9_000).Select(i => Encoding.UTF8.GetBytes($"{i}")));
        var bytes = sketch.ToBytes();
        sketch.MergeBytes(bytes);
        Assert.Equal(bytes, sketch.ToBytes());
    }

    [Fact]
    public void FromBytes_HostileBytes_ClearException()
    {
        HostileBytes.AreRefused(Sketch(Enumerable.Range(0, 700).Select(i => Encoding.UTF8.GetBytes($"{i}"))).ToBytes(), bytes => HyperLogLog.FromBytes(bytes).ToBytes());
        HostileBytes.AreRefused(Sketch(Enumerable.Range(0, 9_000).Select(i => Encoding.UTF8.GetBytes($"{i}"))).ToBytes(), bytes => HyperLogLog.FromBytes(bytes).ToBytes());
        Assert.Contains("form 7", Assert.Throws<SketchFormatException>(() => HyperLogLog.FromBytes([1, 7])).Message);
    }

    private static HyperLogLog Sketch(IEnumerable<byte[]> texts)
    {
        var sketch = new HyperLogLog();
        foreach (var text in texts)
            sketch.Add(text);
        return sketch;
    }
}

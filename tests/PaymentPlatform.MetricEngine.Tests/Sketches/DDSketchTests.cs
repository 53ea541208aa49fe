using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.MetricEngine.Tests.Sketches;

public sealed class DDSketchTests
{
    private static readonly double[] Quantiles = [0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];

    [Theory]
    [InlineData("normal")]
    [InlineData("uniform")]
    [InlineData("exponential")]
    [InlineData("lognormal")]
    [InlineData("bimodal")]
    public void Quantile_Distribution_WithinOnePercentOfTheExact(string distribution)
    {
        for (var seed = 0; seed < 5; seed++)
        {
            var values = Values(distribution, seed, 50_000);
            var sketch = Sketch(values);
            values.Sort();

            Assert.Equal(values.Count, sketch.Count);
            foreach (var quantile in Quantiles)
            {
                var exact = (double)values[(int)(quantile * (values.Count - 1))] / 10_000;
                var error = Math.Abs((double)sketch.Quantile(quantile)!.Value - exact) / exact;
                Assert.True(error <= 0.01, $"{distribution}, seed {seed}, p{quantile * 100}: {error:P3}");
            }
        }
    }

    [Fact]
    public void Quantile_SingleValuesOfAllSizes_WithinOnePercent()
    {
        var random = new Random(3);
        for (var i = 0; i < 200_000; i++)
        {
            var scaled = i < 20_000 ? i + 1 : (Int128)Math.Exp(random.NextDouble() * Math.Log(9.9e18)) + 1;
            var sketch = new DDSketch();
            sketch.Add(scaled);
            var error = Math.Abs(((double)sketch.Quantile(0.5)!.Value * 10_000) - (double)scaled) / (double)scaled;
            Assert.True(error <= 0.01, $"{scaled}: {error:P4}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(49)]
    [InlineData(0)]
    public void Quantile_SmallWholeValues_Exact(int scaled)
    {
        var sketch = new DDSketch();
        sketch.Add(scaled);
        Assert.Equal(scaled / 10_000m, sketch.Quantile(0.5));
    }

    [Fact]
    public void BinOf_GrowingValues_NeverFalls()
    {
        var before = -1;
        for (var scaled = 1L; scaled < 1_000_000_000_000; scaled += Math.Max(1, scaled / 997))
        {
            var bin = DDSketch.BinOf(scaled);
            Assert.True(bin >= before);
            before = bin;
        }

        Assert.True(DDSketch.BinOf(Int128.MaxValue) <= SketchBins.Max);
    }

    [Fact]
    public void Merge_AnySplitAndOrder_EqualsTheUnionByteByByte()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            // Half of the seeds span more than the bins do, and collapse.
            var decades = seed % 2 == 0 ? 6 : 19;
            var values = Enumerable.Range(0, 3_000).Select(_ => random.Next(20) == 0 ? 0 : (Int128)Math.Pow(10, random.NextDouble() * decades)).ToArray();
            var union = Sketch(values).ToBytes();

            var parts = Enumerable.Range(0, 7).Select(_ => new DDSketch()).ToArray();
            foreach (var value in values)
                parts[random.Next(parts.Length)].Add(value);
            random.Shuffle(parts);
            var merged = new DDSketch();
            foreach (var part in parts)
            {
                if (random.Next(2) == 0)
                    merged.Merge(part);
                else
                    merged.MergeBytes(part.ToBytes());
            }

            Assert.Equal(union, merged.ToBytes());
            random.Shuffle(values);
            Assert.Equal(union, Sketch(values).ToBytes());
            Assert.Equal(union, DDSketch.FromBytes(union).ToBytes());
        }
    }

    [Fact]
    public void Add_ValuesFurtherApartThanTheBins_CollapsesTheLowest()
    {
        var sketch = new DDSketch();
        sketch.Add(1);
        sketch.Add(2);
        sketch.Add((Int128)9_000_000_000_000_000_000);

        Assert.Equal(3, sketch.Count);
        Assert.Equal(sketch.Quantile(0), sketch.Quantile(0.5));
        Assert.InRange((double)sketch.Quantile(1)!.Value, 9e14 * 0.99, 9e14 * 1.01);
    }

    [Fact]
    public void Quantile_Empty_Null() => Assert.Null(new DDSketch().Quantile(0.5));

    [Fact]
    public void Add_Negative_Refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new DDSketch().Add(-1));

    [Fact]
    public void FromBytes_HostileBytes_ClearException()
    {
        var good = Sketch(Values("lognormal", 1, 500)).ToBytes();
        HostileBytes.AreRefused(good, bytes => DDSketch.FromBytes(bytes).ToBytes());
        HostileBytes.AreRefused([1, 0, 1, 0, 0], bytes => DDSketch.FromBytes(bytes).ToBytes());
        var newer = (byte[])[2, .. good[1..]];
        Assert.Contains("version is 2", Assert.Throws<SketchFormatException>(() => DDSketch.FromBytes(newer)).Message);
    }

    private static DDSketch Sketch(IEnumerable<Int128> values)
    {
        var sketch = new DDSketch();
        foreach (var value in values)
            sketch.Add(value);
        return sketch;
    }

    private static List<Int128> Values(string distribution, int seed, int count)
    {
        var random = new Random(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        double Next() => distribution switch
        {
            "normal" => 150 + (40 * Normal()),
            "uniform" => 1 + (random.NextDouble() * 9_999),
            "exponential" => -80 * Math.Log(1 - random.NextDouble()),
            "lognormal" => Math.Exp(4 + (1.5 * Normal())),
            _ => random.Next(3) == 0 ? 2_500 + (300 * Normal()) : 30 + (8 * Normal()),
        };
        return [.. Enumerable.Range(0, count).Select(_ => (Int128)Math.Max(1, Next() * 10_000))];
    }
}

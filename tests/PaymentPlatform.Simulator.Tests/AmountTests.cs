using System.Buffers;
using System.Text.Json;

namespace PaymentPlatform.Simulator.Tests;

/// <summary>60,000 amounts of a fixed seed against what the distributions promise; tolerances are five standard errors.</summary>
public sealed class AmountTests
{
    private const int Count = 60_000;

    [Fact]
    public void Write_Normal_HasMeanAndDeviation()
    {
        var amounts = Amounts("amounts: { distribution: normal, mean: 300, deviation: 40, min: 1, max: 1000 }");

        Assert.Equal(300, amounts.Average(), 5 * 40 / Math.Sqrt(Count));
        Assert.Equal(40, Deviation(amounts), 0.6);
        Assert.Equal(0.6827, amounts.Count(a => Math.Abs(a - 300) < 40) / (double)Count, 0.01);
    }

    [Fact]
    public void Write_NormalBeyondItsLimits_StaysWithin()
    {
        var amounts = Amounts("amounts: { distribution: normal, mean: 100, deviation: 80, min: 50, max: 180 }");

        Assert.InRange(amounts.Min(), 50, 51);
        Assert.InRange(amounts.Max(), 179, 180);
        // No heaps at the limits.
        Assert.True(amounts.Count(a => a < 51) < Count / 80, $"{amounts.Count(a => a < 51)}");
    }

    [Fact]
    public void Write_Uniform_IsEven()
    {
        var amounts = Amounts("amounts: { distribution: uniform, min: 20, max: 220 }");

        Assert.Equal(120, amounts.Average(), 5 * 200 / Math.Sqrt(12.0 * Count));
        for (var tenth = 0; tenth < 10; tenth++)
            Assert.Equal(0.1, amounts.Count(a => a >= 20 + 20 * tenth && a < 40 + 20 * tenth) / (double)Count, 0.007);
    }

    [Fact]
    public void Write_Exponential_HasMeanAndTail()
    {
        var amounts = Amounts("amounts: { distribution: exponential, mean: 200, min: 0, max: 8000 }");

        Assert.Equal(200, amounts.Average(), 5 * 200 / Math.Sqrt(Count));
        Assert.Equal(Math.Exp(-2), amounts.Count(a => a > 400) / (double)Count, 0.008);
        Assert.All(amounts, a => Assert.True(a > 0));
    }

    [Fact]
    public void Write_Bimodal_HasBothModes()
    {
        var amounts = Amounts("amounts: { distribution: bimodal, mean: 100, deviation: 10, second_mean: 2000, second_deviation: 100, second_share: 0.25, min: 1, max: 5000 }");

        var (low, high) = (amounts.Where(a => a < 1_000).ToList(), amounts.Where(a => a >= 1_000).ToList());
        Assert.Equal(0.25, high.Count / (double)Count, 0.009);
        Assert.Equal(100, low.Average(), 0.3);
        Assert.Equal(2_000, high.Average(), 5.0);
        Assert.Equal(100, Deviation(high), 5.0);
    }

    [Theory]
    [InlineData("JPY", 150, 0)]
    [InlineData("GBP", 1, 2)]
    [InlineData("BHD", 0.4, 3)]
    public void Write_OtherCurrency_IsScaledAndHasItsDecimals(string currency, double scale, int decimals)
    {
        var lines = Lines($"currencies: {{ {currency}: 1 }}\namounts: {{ distribution: normal, mean: 300, deviation: 40, min: 1, max: 1000 }}");
        var amounts = lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("amount").GetRawText()).ToList();

        Assert.Equal(300 * scale, amounts.Average(a => double.Parse(a, System.Globalization.CultureInfo.InvariantCulture)), 1.0 * scale);
        Assert.All(amounts, a => Assert.Equal(decimals, a.Contains('.') ? a.Length - a.IndexOf('.') - 1 : 0));
    }

    [Fact]
    public void Write_CurrencyOfItsOwn_IsNotScaled()
    {
        var amounts = Amounts("currencies: { JPY: 1 }\namounts: { distribution: uniform, min: 1, max: 100, by_currency: { JPY: { min: 5000, max: 7000 } } }");

        Assert.InRange(amounts.Min(), 5_000, 5_010);
        Assert.InRange(amounts.Max(), 6_990, 7_000);
    }

    private static double Deviation(List<double> amounts)
    {
        var mean = amounts.Average();
        return Math.Sqrt(amounts.Average(a => (a - mean) * (a - mean)));
    }

    private static List<double> Amounts(string yaml) =>
        [.. Lines(yaml.Contains("currencies:") ? yaml : $"currencies: {{ USD: 1 }}\n{yaml}").Select(line => JsonDocument.Parse(line).RootElement.GetProperty("amount").GetDouble())];

    private static IEnumerable<byte[]> Lines(string yaml)
    {
        var generator = new TransactionGenerator(SettingsReader.Read(yaml, "test.yaml"), seed: 5);
        var output = new ArrayBufferWriter<byte>();
        for (var i = 0; i < Count; i++)
        {
            output.ResetWrittenCount();
            generator.Write(output, 1_765_000_000_000_000 + i * 1_000L);
            yield return output.WrittenSpan.ToArray();
        }
    }
}

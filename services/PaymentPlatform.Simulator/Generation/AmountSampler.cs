namespace PaymentPlatform.Simulator;

/// <summary>Draws clean amounts, in thousandths of the currency's unit.</summary>
internal sealed class AmountSampler(AmountSettings settings, int digits)
{
    private const int Attempts = 64;

    // One unit of the currency's last digit: a smaller amount would be written as zero.
    private readonly long _unit = digits switch { 0 => 1_000, 2 => 10, _ => 1 };

    public long Next(ref SeededRandom random)
    {
        for (var i = 0; i < Attempts; i++)
        {
            var amount = Draw(ref random);
            if (amount >= settings.Min && amount <= settings.Max)
                return Rounded(amount);
        }

        return Rounded(settings.Min + (settings.Max - settings.Min) * random.Fraction());
    }

    private double Draw(ref SeededRandom random) => settings.Distribution switch
    {
        AmountDistribution.Normal => Normal(ref random, settings.Mean, settings.Deviation),
        AmountDistribution.Uniform => settings.Min + (settings.Max - settings.Min) * random.Fraction(),
        AmountDistribution.Exponential => -settings.Mean * Math.Log(1 - random.Fraction()),
        _ => random.Fraction() < settings.SecondShare
            ? Normal(ref random, settings.SecondMean, settings.SecondDeviation)
            : Normal(ref random, settings.Mean, settings.Deviation),
    };

    private static double Normal(ref SeededRandom random, double mean, double deviation) =>
        mean + deviation * Math.Sqrt(-2 * Math.Log(1 - random.Fraction())) * Math.Cos(2 * Math.PI * random.Fraction());

    private long Rounded(double amount) => Math.Max(_unit, (long)Math.Round(amount * 1_000 / _unit) * _unit);
}

using System.Text;

namespace PaymentPlatform.Simulator;

/// <summary>What the generator needs to know of a currency.</summary>
internal sealed class CurrencyProfile(string code, SimulatorSettings settings)
{
    private readonly double _threshold = AmountReader.Threshold(settings, code);

    private readonly AmountSampler _clean = new(
        settings.AmountsByCurrency.GetValueOrDefault(code) ?? AmountReader.Scaled(settings.Amounts, CurrencyTraits.Scale(code)), CurrencyTraits.Digits(code));

    public byte[] Code { get; } = Encoding.UTF8.GetBytes(code);

    /// <summary>Decimals that are written.</summary>
    public int Digits { get; } = CurrencyTraits.Digits(code);

    /// <summary>Whether it has a threshold of its own: only then is there something to plant.</summary>
    public bool HasThreshold { get; } = settings.HighValue.ContainsKey(code);

    /// <summary>Currencies in which the same number may be paid: the clean amounts of the smaller one suit the larger one too.</summary>
    public double Threshold => _threshold;

    public long CleanAmount(ref SeededRandom random) => _clean.Next(ref random);

    /// <summary>From 90.1 % to 99.9 % of the threshold.</summary>
    public long StructuredAmount(ref SeededRandom random) => WholeUnits(_threshold * (0.901 + 0.098 * random.Fraction()));

    /// <summary>From 1.05 to 10 times the threshold; more of the smaller ones.</summary>
    public long LargeAmount(ref SeededRandom random)
    {
        var fraction = random.Fraction();
        return WholeUnits(_threshold * (1.05 + 8.95 * fraction * fraction));
    }

    private long WholeUnits(double amount)
    {
        long unit = Digits switch { 0 => 1_000, 2 => 10, _ => 1 };
        return (long)(amount * 1_000 / unit) * unit;
    }
}

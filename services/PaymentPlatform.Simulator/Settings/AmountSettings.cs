namespace PaymentPlatform.Simulator;

/// <summary>Clean amounts. What lies outside of [Min, Max] is drawn again.</summary>
public sealed record AmountSettings
{
    public AmountDistribution Distribution { get; init; } = AmountDistribution.Bimodal;

    /// <summary>Of the normal, of the exponential (above <see cref="Min"/> = 0), of the bimodal's first mode; unused for uniform.</summary>
    public double Mean { get; init; } = 110;

    public double Deviation { get; init; } = 50;

    public double Min { get; init; } = 1;

    public double Max { get; init; } = 5_000;

    /// <summary>The bimodal's other mode.</summary>
    public double SecondMean { get; init; } = 2_500;

    public double SecondDeviation { get; init; } = 800;

    /// <summary>Part of the amounts that are of the other mode.</summary>
    public double SecondShare { get; init; } = 0.01;
}

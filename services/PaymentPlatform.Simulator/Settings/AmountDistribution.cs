namespace PaymentPlatform.Simulator;

/// <summary>How amounts are spread.</summary>
public enum AmountDistribution
{
    Normal,
    Uniform,
    Exponential,
    Bimodal,
}

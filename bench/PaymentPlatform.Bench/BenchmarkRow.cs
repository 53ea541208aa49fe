namespace PaymentPlatform.Bench;

/// <summary>One line of the results.</summary>
/// <param name="Ours">Our figure.</param>
/// <param name="Peer">The peer's in the same run, or the target; null where there is none.</param>
internal sealed record BenchmarkRow(string Name, double Ours, double? Peer, string Unit)
{
    public double? Ratio => Peer is > 0 ? Ours / Peer : null;
}

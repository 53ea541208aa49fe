namespace PaymentPlatform.Bench.Rules;

/// <summary>How a rule did on the pattern of its name.</summary>
/// <param name="Planted">Events, or groups of events where <paramref name="Unit"/> says so.</param>
/// <param name="Found">Planted ones with a hit: for a group a hit that names one of its events.</param>
/// <param name="Hits">Of the rule in all.</param>
/// <param name="False">Hits that name an event in which the pattern was not planted.</param>
internal sealed record DetectionRow(string Pattern, string Rule, string Unit, int Planted, int Found, int Hits, int False)
{
    public double Recall => Planted == 0 ? 1 : Found / (double)Planted;

    public double Precision => Hits == 0 ? 1 : (Hits - False) / (double)Hits;
}

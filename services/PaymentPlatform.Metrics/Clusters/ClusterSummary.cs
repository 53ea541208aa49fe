namespace PaymentPlatform.Metrics.Clusters;

/// <summary>One cluster of a window's sample.</summary>
/// <param name="Cluster">From 1, the largest first.</param>
/// <param name="EventCount">Sampled events in it.</param>
/// <param name="Share">Of the sample's events, 0 to 1 with four decimals, as are the other shares.</param>
/// <param name="MeanAmount">Over its events, whatever their currency; rounded to four decimals, half to even.</param>
/// <param name="PaymentMethod">The one that most of its events have; of equals the first by bytes, as is <paramref name="Currency"/>.</param>
/// <param name="PaymentMethodShare">Of the cluster's events, as is <paramref name="CurrencyShare"/>.</param>
public sealed record ClusterSummary(
    int Cluster, int EventCount, decimal Share, decimal MeanAmount, decimal MinAmount, decimal MaxAmount, string PaymentMethod, decimal PaymentMethodShare, string Currency, decimal CurrencyShare);

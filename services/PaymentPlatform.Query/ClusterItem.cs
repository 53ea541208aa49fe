namespace PaymentPlatform.Query;

/// <summary>A cluster of the events of a five-minute window, found in a sample of them.</summary>
/// <param name="Cluster">From 1, the largest first.</param>
/// <param name="EventCount">Of the sample.</param>
/// <param name="Share">Of the sample, 0 to 1; about the window's.</param>
/// <param name="MeanAmount">Over all currencies in the cluster: <paramref name="CurrencyShare"/> tells whether that is one.</param>
/// <param name="PaymentMethod">The one that most of its events have.</param>
/// <param name="SampledEvents">The sample's size; a window of at most 200 events is sampled whole.</param>
public sealed record ClusterItem(
    DateTime WindowStart, DateTime WindowEnd, int Cluster, int EventCount, decimal Share, decimal MeanAmount, decimal MinAmount, decimal MaxAmount, string PaymentMethod, decimal PaymentMethodShare,
    string Currency, decimal CurrencyShare, int SampledEvents);

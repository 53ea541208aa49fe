using PaymentPlatform.Metrics.Deltas;

namespace PaymentPlatform.Metrics.Clusters;

/// <summary>Clusters a window's sample. The same sample gives the same clusters.</summary>
public static class ClusterFinder
{
    public const int MaxClusters = 5;

    /// <summary>A sample of fewer events has no clusters.</summary>
    public const int MinEvents = 10;

    /// <returns>The largest first; of equal ones the one whose event hashes lowest. None when there are too few events.</returns>
    public static IReadOnlyList<ClusterSummary> Find(ClusterSample sample)
    {
        var items = sample.Items;
        if (items.Count < MinEvents)
            return [];
        var assigned = Assign(ClusterPoints.Of(items));
        // GroupBy keeps the sample's order, lowest hash first, and the sort is stable.
        return [.. items.Select((item, i) => (Item: item, Cluster: assigned[i]))
            .GroupBy(i => i.Cluster, i => i.Item)
            .OrderByDescending(g => g.Count())
            .Select((group, i) => Summarize(i + 1, [.. group], items.Count))];
    }

    private static int[] Assign(float[][] points)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var distinct = Array.ConvertAll(points, point =>
        {
            var key = string.Join(' ', point.Select(BitConverter.SingleToInt32Bits));
            if (!numbers.TryGetValue(key, out var number))
                numbers.Add(key, number = numbers.Count);
            return number;
        });
        // The trainer refuses what leaves it nothing to choose: then each distinct point is a cluster.
        return numbers.Count <= MaxClusters ? distinct : KMeans.Assign(points, MaxClusters);
    }

    private static ClusterSummary Summarize(int number, SampleItem[] items, int sampled)
    {
        var sum = Int128.Zero;
        foreach (var item in items)
            sum += item.AmountScaled;
        var (method, methodCount) = Dominant(items.Select(i => i.PaymentMethod));
        var (currency, currencyCount) = Dominant(items.Select(i => i.Currency));
        return new(
            number, items.Length, Share(items.Length, sampled), decimal.Round(MetricsWriter.ToDecimal(sum) / items.Length, 4), MetricsWriter.ToDecimal(items.Min(i => i.AmountScaled)), MetricsWriter.ToDecimal(items.Max(i => i.AmountScaled)),
            method, Share(methodCount, items.Length), currency, Share(currencyCount, items.Length));
    }

    private static (string Value, int Count) Dominant(IEnumerable<string> values)
    {
        var (value, count) = values.CountBy(v => v, StringComparer.Ordinal).OrderByDescending(v => v.Value).ThenBy(v => v.Key, StringComparer.Ordinal).First();
        return (value, count);
    }

    private static decimal Share(int part, int whole) => decimal.Round((decimal)part / whole, 4);
}

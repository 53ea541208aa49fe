using PaymentPlatform.Metrics.Deltas;

namespace PaymentPlatform.Metrics.Clusters;

/// <summary>
/// A sample as points: log10(1 + |amount|) with the amount's sign, then one axis for each method and each currency.
/// Another method, or another currency, is as far as a factor of ten in the amount.
/// </summary>
internal static class ClusterPoints
{
    private const double AmountScale = 10_000;

    // The trainer's floats can't tell points apart that are much closer; amounts within 2 % are one point.
    private const int Decimals = 2;

    // The other axes of two events lie this far apart twice: a distance of 1.
    private static readonly float Mark = (float)Math.Sqrt(0.5);

    public static float[][] Of(IReadOnlyList<SampleItem> items)
    {
        var methods = Axes(items.Select(i => i.PaymentMethod), 1);
        var currencies = Axes(items.Select(i => i.Currency), 1 + methods.Count);
        return [.. items.Select(item =>
        {
            var point = new float[1 + methods.Count + currencies.Count];
            var amount = (double)item.AmountScaled / AmountScale;
            point[0] = (float)(Math.Sign(amount) * Math.Round(Math.Log10(1 + Math.Abs(amount)), Decimals));
            point[methods[item.PaymentMethod]] = Mark;
            point[currencies[item.Currency]] = Mark;
            return point;
        })];
    }

    private static Dictionary<string, int> Axes(IEnumerable<string> values, int first) =>
        values.Distinct().Order(StringComparer.Ordinal).Select((value, i) => (value, i)).ToDictionary(v => v.value, v => first + v.i, StringComparer.Ordinal);
}

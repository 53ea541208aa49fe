namespace PaymentPlatform.Metrics.Deltas;

internal static class HistogramKinds
{
    public const int Count = 2;

    public static string MetricType(this HistogramKind kind) => kind == HistogramKind.TransactionAmount ? "transaction_amount" : "ingest_latency";
}

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>Of what there are percentiles; <c>metric_type</c> in <c>aggregate_histograms</c>. The numbers are kept in deltas.</summary>
public enum HistogramKind
{
    /// <summary><c>transaction_amount</c>: in the event's currency.</summary>
    TransactionAmount,

    /// <summary><c>ingest_latency</c>: milliseconds from the transaction's time to the stream's taking it; events whose own time is later are left out.</summary>
    IngestLatency,
}

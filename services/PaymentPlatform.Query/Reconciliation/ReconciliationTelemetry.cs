using System.Diagnostics.Metrics;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>What the last scheduled check found, in whichever process it ran.</summary>
internal sealed class ReconciliationTelemetry
{
    private volatile LastCheck? _last;

    public ReconciliationTelemetry(IMeterFactory meters)
    {
        var meter = meters.Create(QueryTelemetry.Name);
        meter.CreateObservableGauge("query.reconciliation.findings", Findings, "{finding}", "Findings of the last scheduled check, by kind; every kind but range_known_gap and blob_kept is a disagreement.");
        meter.CreateObservableGauge("query.reconciliation.last_success", LastSuccess, "s", "When the last scheduled check came to its end, whatever it found: seconds since the Unix epoch.");
    }

    public void Checked(DateTime endedAt, IReadOnlyDictionary<string, long> findings) => _last = new(endedAt, findings);

    private IEnumerable<Measurement<long>> Findings() =>
        _last is { } last ? FindingKind.All.Select(kind => new Measurement<long>(last.Findings.GetValueOrDefault(kind), new KeyValuePair<string, object?>("kind", kind))) : [];

    private IEnumerable<Measurement<double>> LastSuccess() => _last is { } last ? [new((last.EndedAt - DateTime.UnixEpoch).TotalSeconds)] : [];

    private sealed record LastCheck(DateTime EndedAt, IReadOnlyDictionary<string, long> Findings);
}

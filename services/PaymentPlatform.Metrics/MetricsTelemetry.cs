using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace PaymentPlatform.Metrics;

/// <summary>The service's instruments.</summary>
public sealed class MetricsTelemetry : IDisposable
{
    public const string Name = "PaymentPlatform.Metrics";

    private readonly Meter _meter;
    private readonly ActivitySource _activities = new(Name);
    private readonly Counter<long> _events;
    private readonly Counter<long> _invalid;
    private readonly Counter<long> _commits;
    private readonly Histogram<double> _commitTime;
    private readonly Histogram<long> _batchEvents;
    private readonly Histogram<long> _batchKeys;
    private readonly Histogram<double> _foldTime;
    private readonly Histogram<long> _foldRows;
    private readonly Counter<long> _clustered;
    private readonly Histogram<double> _visibleAfter;
    private readonly Histogram<double> _eventTimeLag;

    public MetricsTelemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        _events = _meter.CreateCounter<long>("metrics.events", "{event}", "Events committed, valid or not.");
        _invalid = _meter.CreateCounter<long>("metrics.invalid_events", "{event}", "Events committed as dead letters, by the type of their first error.");
        _commits = _meter.CreateCounter<long>("metrics.commits", "{commit}", "Commits by outcome: committed, stale or failed.");
        _commitTime = _meter.CreateHistogram<double>("metrics.commit.duration", "s", "Time that one commit took.");
        _batchEvents = _meter.CreateHistogram<long>("metrics.commit.events", "{event}", "Events in one commit.");
        _batchKeys = _meter.CreateHistogram<long>("metrics.commit.keys", "{row}", "Rows of payment_metrics_5m that one commit touched.");
        _foldTime = _meter.CreateHistogram<double>("metrics.fold.duration", "s", "Time that one fold of metric_deltas took.");
        _foldRows = _meter.CreateHistogram<long>("metrics.fold.rows", "{row}", "Rows of metric_deltas that one fold merged.");
        _clustered = _meter.CreateCounter<long>("metrics.clustered_windows", "{window}", "Windows whose clusters were computed.");
        _visibleAfter = _meter.CreateHistogram<double>("metrics.visible_after", "s", "Time from the stream's taking the oldest event of a commit to its being visible.");
        _eventTimeLag = _meter.CreateHistogram<double>("metrics.event_time_lag", "s", "Time from the newest transaction of a commit to its being visible.");
    }

    internal bool WantsLinks => _activities.HasListeners();

    internal Activity? StartCommit(GatheredBatch batch)
    {
        if (!_activities.HasListeners())
            return null;
        var activity = _activities.StartActivity("metrics commit", ActivityKind.Consumer, default(ActivityContext), links: batch.Links.Select(l => new ActivityLink(l)));
        activity?.SetTag("messaging.batch.message_count", batch.Events);
        activity?.SetTag("messaging.consumer.group.name", MetricsWriter.ConsumerGroup);
        return activity;
    }

    internal void Committed(GatheredBatch batch, TimeSpan elapsed, DateTimeOffset now)
    {
        Outcome("committed", elapsed);
        _events.Add(batch.Events);
        _batchEvents.Record(batch.Events);
        _batchKeys.Record(batch.Figures.KeyCount);
        if (_invalid.Enabled)
        {
            foreach (var group in batch.Failed.CountBy(f => f.ErrorType))
                _invalid.Add(group.Value, new KeyValuePair<string, object?>("error.type", group.Key));
        }

        var micros = (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        if (batch.Events > 0)
            _visibleAfter.Record((micros - batch.OldestEnqueuedMicros) / 1e6);
        if (batch.NewestTransactionMicros != long.MinValue)
            _eventTimeLag.Record((micros - batch.NewestTransactionMicros) / 1e6);
    }

    internal void Folded(int rows, TimeSpan elapsed)
    {
        _foldRows.Record(rows);
        _foldTime.Record(elapsed.TotalSeconds);
    }

    internal void Clustered(int windows) => _clustered.Add(windows);

    internal void Outcome(string outcome, TimeSpan elapsed)
    {
        var tag = new KeyValuePair<string, object?>("outcome", outcome);
        _commits.Add(1, tag);
        _commitTime.Record(elapsed.TotalSeconds, tag);
    }

    public void Dispose()
    {
        _activities.Dispose();
        _meter.Dispose();
    }
}

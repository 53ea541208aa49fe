using System.ComponentModel.DataAnnotations;

namespace PaymentPlatform.Metrics;

/// <summary>Section <c>Metrics</c>. A batch is what one transaction commits; the first limit that it meets ends it.</summary>
public sealed class MetricsOptions
{
    public const string Section = "Metrics";

    /// <summary>The least time between the starts of two commits: an event waits this long at most before its commit begins, and an event after a pause does not wait.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10", ErrorMessage = "Metrics:CommitInterval must lie between 00:00:00 and 00:00:10.")]
    public TimeSpan CommitInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    [Range(1, 1_000_000, ErrorMessage = "Metrics:MaxBatchEvents must lie between 1 and 1000000.")]
    public int MaxBatchEvents { get; set; } = 50_000;

    /// <summary>Bytes of invalid events, which are kept whole until they are committed.</summary>
    [Range(1L << 16, 1L << 30, ErrorMessage = "Metrics:MaxFailedBytes must lie between 65536 and 1073741824.")]
    public long MaxFailedBytes { get; set; } = 16 << 20;

    /// <summary>Rows of <c>payment_metrics_5m</c> and of <c>rule_buckets</c> that a batch touches.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Metrics:MaxBatchKeys must lie between 1 and 1000000.")]
    public int MaxBatchKeys { get; set; } = 20_000;

    /// <summary>How long a stopping service goes on to commit what it has gathered.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00", ErrorMessage = "Metrics:StopTimeout must lie between 00:00:00 and 00:05:00.")]
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long percentiles, unique counts and results of window rules may be behind the counts; up to five seconds more while folds would take more than an eighth of the time.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00", ErrorMessage = "Metrics:FoldInterval must lie between 00:00:00.100 and 00:01:00.")]
    public TimeSpan FoldInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the clusters of a window may be behind its sample.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "Metrics:ClusterInterval must lie between 00:00:01 and 01:00:00.")]
    public TimeSpan ClusterInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a rebuild may keep commits waiting while it puts its rows in the place of the old ones; one that would take longer fails.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00", ErrorMessage = "Metrics:RebuildSwapTimeout must lie between 00:00:01 and 00:10:00.")]
    public TimeSpan RebuildSwapTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// A file of rules that is taken in at the start and whenever it changes, for development; what <c>PUT /v1/rules</c> took in stands until then.
    /// Without it the starter rules are put in once, and <c>PUT /v1/rules</c> has the say.
    /// </summary>
    public string? RulesFile { get; set; }

    /// <summary>How long figures, histograms and results of rules are kept, by event time and whole days; 0 is for ever.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00", ErrorMessage = "Metrics:Retention must lie between 00:00:00 (for ever) and 36500.00:00:00.")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(400);
}

using System.Text;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>The statements between receive and commit, as they pass on the wire. In the order of the checks: the first that fits.</summary>
internal enum StatementKind
{
    Other,
    Begin,
    Commit,
    Lease,
    Fetch,
    Append,
    Announce,
    MakeLive,
    Ranges,

    /// <summary>Of a position that is about to move.</summary>
    Lock,
    Advance,
    FailedItems,
    Figures,
    Delta,
    RuleState,
    Hits,
    DeadLetters,
    Replay,
    Rebuild,
}

internal static class StatementKinds
{
    private static readonly (string Text, StatementKind Kind)[] Marks =
    [
        ("stream_lease", StatementKind.Lease),
        ("stream_fetch", StatementKind.Fetch),
        ("stream_append", StatementKind.Append),
        ("INSERT INTO raw_event_files", StatementKind.Announce),
        ("UPDATE raw_event_files", StatementKind.MakeLive),
        ("INSERT INTO raw_event_ranges", StatementKind.Ranges),
        ("FROM stream_checkpoints c\nWHERE", StatementKind.Lock),
        ("UPDATE stream_checkpoints", StatementKind.Advance),
        ("INSERT INTO failed_items", StatementKind.FailedItems),
        ("payment_metrics_5m", StatementKind.Figures),
        ("metric_deltas", StatementKind.Delta),
        ("rule_state", StatementKind.RuleState),
        ("dynamic_metrics", StatementKind.Hits),
        ("failed_item", StatementKind.DeadLetters),
        ("replays", StatementKind.Replay),
        ("metric_rebuilds", StatementKind.Rebuild),
    ];

    public static StatementKind Of(ReadOnlySpan<byte> sql)
    {
        var text = Encoding.UTF8.GetString(sql);
        if (text.StartsWith("COMMIT", StringComparison.OrdinalIgnoreCase))
            return StatementKind.Commit;
        if (text.StartsWith("BEGIN", StringComparison.OrdinalIgnoreCase))
            return StatementKind.Begin;
        foreach (var (mark, kind) in Marks)
        {
            if (text.Contains(mark, StringComparison.OrdinalIgnoreCase))
                return kind;
        }

        return StatementKind.Other;
    }

    /// <summary>Polled all the time: faults there are rarer, or there would be nothing else.</summary>
    public static bool IsFrequent(this StatementKind kind) => kind is StatementKind.Other or StatementKind.Begin or StatementKind.Lease or StatementKind.Fetch;
}

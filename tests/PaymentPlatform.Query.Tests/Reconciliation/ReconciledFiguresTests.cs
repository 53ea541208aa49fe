using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.Reconciliation.ReconciliationReports;

namespace PaymentPlatform.Query.Tests.Reconciliation;

/// <summary>Figures and dead letters against the archive.</summary>
public sealed class ReconciledFiguresTests(PlatformFixture fixture)
{
    [Theory]
    [InlineData("UPDATE payment_metrics_5m SET total_count = total_count + 1 WHERE (window_start, payment_method, currency, payment_status) = (SELECT window_start, payment_method, currency, payment_status FROM payment_metrics_5m LIMIT 1)")]
    [InlineData("UPDATE payment_metrics_5m SET total_amount = total_amount + 0.0001 WHERE (window_start, payment_method, currency, payment_status) = (SELECT window_start, payment_method, currency, payment_status FROM payment_metrics_5m LIMIT 1)")]
    [InlineData("UPDATE payment_metrics_5m SET max_amount = max_amount + 1 WHERE (window_start, payment_method, currency, payment_status) = (SELECT window_start, payment_method, currency, payment_status FROM payment_metrics_5m LIMIT 1)")]
    [InlineData("DELETE FROM payment_metrics_5m WHERE (window_start, payment_method, currency, payment_status) = (SELECT window_start, payment_method, currency, payment_status FROM payment_metrics_5m LIMIT 1)")]
    [InlineData("INSERT INTO payment_metrics_5m SELECT window_start, window_end, 'made up', currency, payment_status, 1, 1, 1, 1 FROM (SELECT * FROM payment_metrics_5m LIMIT 1) m", true)]
    public async Task Get_FigureChanged_IsTheOneFinding(string sql, bool isNew = false)
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        if (isNew)
            sql = sql.Replace("payment_metrics_5m SELECT", "payment_metrics_5m (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount) SELECT", StringComparison.Ordinal);
        await platform.Host.Archive.ExecuteAsync(sql);
        Assert.Equal(["figure_differs"], ReconciledPlatform.Findings(await platform.ReconcileAsync("listing")).Select(f => f.Kind));
    }

    [Fact]
    public async Task Get_DeadLettersMissingOrMadeUp_AreFoundByPosition()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        const string position = "stream || '/' || log_id || '/' || partition_id || ' offset ' || stream_offset";
        var missing = await platform.ScalarAsync<string>($"DELETE FROM failed_items WHERE id = (SELECT min(id) FROM failed_items) RETURNING {position}");
        var extra = await platform.ScalarAsync<string>(
            $$"""
            INSERT INTO failed_items (stream, log_id, partition_id, stream_offset, error_type, error_message, errors, raw_payload, enqueued_at)
            SELECT stream, log_id, partition_id, 100000, 'x', 'x', '[]', '', enqueued_at FROM failed_items WHERE id = (SELECT max(id) FROM failed_items)
            RETURNING {{position}}
            """);
        AssertFindings(await platform.ReconcileAsync("listing"), ("dead_letter_extra", extra), ("dead_letter_missing", missing));
        // Of another time.
        AssertAgrees(await platform.ReconcileAsync("listing", "&from=2020-01-01&to=2020-01-02"));
    }

    [Fact]
    public async Task Get_DroppedByMetricsRetention_IsSaidAndNotReported()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        await platform.Host.Archive.ExecuteAsync("SELECT metrics_drop_before('payment_metrics_5m', 'window_start', ((now() AT TIME ZONE 'UTC')::date + 2), 100000)");
        var report = await platform.ReconcileAsync("listing");
        AssertAgrees(report);
        Assert.All(report.GetProperty("skipped").EnumerateArray(), s => Assert.Contains("Metrics:Retention", s.GetProperty("reason").GetString()));
        Assert.NotEmpty(report.GetProperty("skipped").EnumerateArray());
    }
}

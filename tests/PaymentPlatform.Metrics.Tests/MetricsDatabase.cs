using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Metrics.Deltas;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

/// <summary>A fresh real database, metrics loops over it, and what they left there.</summary>
internal sealed class MetricsDatabase : IAsyncDisposable
{
    private static readonly IMeterFactory Meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();

    private MetricsDatabase(string connectionString)
    {
        ConnectionString = connectionString;
        Source = NpgsqlDataSource.Create(connectionString);
        Rules = new(Source, NullLogger<RuleCatalog>.Instance);
        _observer = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "observer" }.ConnectionString);
    }

    public string ConnectionString { get; }

    public NpgsqlDataSource Source { get; }

    /// <summary>The starter rules.</summary>
    public RuleCatalog Rules { get; }

    // A pool of its own: some tests break the other one.
    private readonly NpgsqlDataSource _observer;

    public static async Task<MetricsDatabase> CreateAsync(PlatformFixture platform)
    {
        var database = new MetricsDatabase(await platform.CreateDatabaseAsync());
        await database.Rules.SeedAsync(RuleSet.StarterYaml, "starter rules", CancellationToken.None);
        return database;
    }

    /// <summary>Runs loops until the checkpoints stand at the log's end, then stops them gracefully.</summary>
    public async Task RunAsync(TestLog log, params MessageConsumer[] consumers) => await RunAsync(log, Source, new() { CommitInterval = TimeSpan.FromMilliseconds(2) }, consumers);

    public Task RunAsync(TestLog log, NpgsqlDataSource through, MetricsOptions options, params MessageConsumer[] consumers) =>
        RunAsync(log, [.. consumers.Select(consumer => Loop(consumer, through, options, Rules))]);

    public async Task RunAsync(TestLog log, params MetricsLoop[] loops)
    {
        using var stop = new CancellationTokenSource();
        using var abort = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var all = Task.WhenAll(loops.Select(loop => Task.Run(() => loop.RunAsync(stop.Token, abort.Token))));
        await Eventually.TrueAsync(async () => all.IsCompleted || await IsReadAsync(log), "the log is read", TimeSpan.FromMinutes(2));
        await stop.CancelAsync();
        await all;
    }

    public static MetricsLoop Loop(MessageConsumer consumer, NpgsqlDataSource through, MetricsOptions options, RuleCatalog catalog, TransactionParserOptions? parser = null, ILogger? logger = null) =>
        new(
            consumer, new(through), new(parser ?? new() { CardData = CardDataMode.Mask }), new(through, MetricsWriter.ConsumerGroup, TimeProvider.System, NullLogger.Instance),
            new(through, catalog, CardDataMode.Mask), options, new(Meters), TimeProvider.System, logger ?? NullLogger.Instance);

    /// <summary>For events without identities, and without rules.</summary>
    public static GatheredBatch Batch()
    {
        var nowhere = NpgsqlDataSource.Create("Host=nowhere");
        return new(
            new(new()), new(nowhere, MetricsWriter.ConsumerGroup, TimeProvider.System, NullLogger.Instance),
            new(nowhere, new(nowhere, NullLogger<RuleCatalog>.Instance, new(1, RuleSet.Starter)), CardDataMode.Mask), NullLogger.Instance);
    }

    public async Task<List<Figure>> FiguresAsync() => (await QueryAsync(
        "SELECT window_start, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount FROM payment_metrics_5m WHERE window_end = window_start + interval '5 minutes'",
        r => new Figure(r.GetDateTime(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetInt64(4), r.GetDecimal(5), r.GetDecimal(6), r.GetDecimal(7)))).Order().ToList();

    /// <returns>How many folds it took.</returns>
    public async Task<int> FoldAllAsync(int maxRows = DeltaFolder.DefaultRows)
    {
        var folds = 0;
        for (var folder = new DeltaFolder(Source, maxRows); await folder.FoldAsync(CancellationToken.None) is { Rows: > 0 };)
            folds++;
        return folds;
    }

    /// <summary>All that folds write, byte by byte.</summary>
    public Task<List<string>> FoldedAsync() => QueryAsync(
        """
        SELECT concat_ws('|', 'figure', extract(epoch FROM window_start), payment_method, currency, payment_status, total_count, unique_customers, unique_merchants, encode(customers_sketch, 'hex'), encode(merchants_sketch, 'hex'), countries) FROM payment_metrics_5m
        UNION ALL SELECT concat_ws('|', 'histogram', extract(epoch FROM time_window_start), extract(epoch FROM time_window_end), metric_type, event_type, event_count, encode(sketch, 'hex')) FROM aggregate_histograms
        UNION ALL SELECT concat_ws('|', 'sample', extract(epoch FROM window_start), encode(payload, 'hex')) FROM cluster_samples
        UNION ALL SELECT concat_ws('|', 'bucket', extract(epoch FROM window_start), extract(epoch FROM window_end), rule_name, rule_version, group_key, metric_type, event_count, matched, total, min_value, max_value) FROM rule_buckets
        ORDER BY 1
        """,
        r => r.GetString(0));

    public Task<List<(int Partition, long Offset, byte[] Payload)>> FailedAsync() => QueryAsync(
        "SELECT partition_id, stream_offset, raw_payload FROM failed_items ORDER BY 1, 2", r => (r.GetInt32(0), r.GetInt64(1), (byte[])r[2]));

    public async Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var connection = await _observer.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>Figures, dead letters and what the rules gave are those of the log, each event counted once.</summary>
    public async Task AssertEqualsAsync(TestLog log)
    {
        await AssertFiguresAsync(log);
        await AssertRulesAsync(log);
    }

    /// <summary>The figures and the dead letters are those of the log, each event counted once.</summary>
    public async Task AssertFiguresAsync(TestLog log)
    {
        Assert.Equal(TestEvents.Figures(log.Counted.Select(m => m.Message.Message.Body.ToArray())), await FiguresAsync());
        var parser = new TransactionParser(new());
        Assert.Equal(
            log.Counted.Where(m => !parser.Parse(m.Message.Message.Body, m.Message.EnqueuedAtMicros).IsValid).Select(m => (m.Partition.PartitionId, m.Message.Offset, Convert.ToHexString(m.Message.Message.Body.Span))),
            (await FailedAsync()).Select(f => (f.Partition, f.Offset, Convert.ToHexString(f.Payload))));
    }

    /// <summary>The rules' results are those of one process that read each partition from its beginning, whoever it was that did.</summary>
    public async Task AssertRulesAsync(TestLog log)
    {
        await FoldAllAsync();
        var expected = ExpectedRuleResults.Of(log.Counted.Select(m => (m.Partition.PartitionId, m.Message.Offset, m.Message.EnqueuedAtMicros, m.Message.Message.Body)), RuleSet.Starter);
        Assert.NotEmpty(expected.Hits);
        Assert.Equal(expected.Hits, await HitsAsync());
        Assert.Equal(expected.Buckets, await BucketsAsync());
    }

    public async Task<List<string>> HitsAsync() => [.. (await QueryAsync(ExpectedRuleResults.HitsSql, r => $"{r.GetString(0)}|{ExpectedRuleResults.Canonical(r.GetString(1))}")).Order(StringComparer.Ordinal)];

    public async Task<List<string>> BucketsAsync() => [.. (await QueryAsync(ExpectedRuleResults.BucketsSql, r => r.GetString(0))).Order(StringComparer.Ordinal)];

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await _observer.DisposeAsync();
    }

    private async Task<bool> IsReadAsync(TestLog log)
    {
        var checkpoints = (await QueryAsync("SELECT partition_id, next_offset FROM stream_checkpoints WHERE consumer_group = 'metrics'", r => (r.GetInt32(0), r.GetInt64(1)))).ToDictionary();
        return log.Partitions.All(p => checkpoints.GetValueOrDefault(p.PartitionId) == log.End(p.PartitionId));
    }
}

using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Metrics.Rules;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>Appends deltas, and merges one into the tables.</summary>
public static partial class DeltaTables
{
    private const string SelectHistogramsSql = """
        SELECT b.at, h.sketch
        FROM unnest($1::timestamptz[], $2::timestamptz[], $3::text[], $4::text[]) WITH ORDINALITY AS b(w, e, metric, event, at)
        JOIN aggregate_histograms h ON h.time_window_start = b.w AND h.time_window_end = b.e AND h.metric_type = b.metric AND h.event_type = b.event
        WHERE h.time_window_start BETWEEN $5 AND $6
        """;

    private const string UpsertHistogramsSql = """
        INSERT INTO aggregate_histograms (time_window_start, time_window_end, metric_type, event_type, event_count, sketch)
        SELECT w, e, metric, event, count, sketch
        FROM unnest($1::timestamptz[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[], $6::bytea[]) AS b(w, e, metric, event, count, sketch)
        ORDER BY w, e, metric COLLATE "C", event COLLATE "C"
        ON CONFLICT (time_window_start, time_window_end, metric_type, event_type) DO UPDATE SET event_count = excluded.event_count, sketch = excluded.sketch, updated_at = now()
        """;

    private const string SelectFiguresSql = """
        SELECT b.at, m.customers_sketch, m.merchants_sketch, m.countries::text
        FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS b(w, method, currency, status, at)
        JOIN payment_metrics_5m m ON m.window_start = b.w AND m.payment_method = b.method AND m.currency = b.currency AND m.payment_status = b.status
        WHERE m.window_start BETWEEN $5 AND $6 AND m.customers_sketch IS NOT NULL
        """;

    // An UPDATE locks in the order of its plan; commits lock in key order. So the rows are locked first.
    private const string LockFiguresSql = """
        SELECT 1
        FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[]) AS b(w, method, currency, status)
        JOIN payment_metrics_5m m ON m.window_start = b.w AND m.payment_method = b.method AND m.currency = b.currency AND m.payment_status = b.status
        WHERE m.window_start BETWEEN $5 AND $6
        ORDER BY m.window_start, m.payment_method, m.currency, m.payment_status
        FOR NO KEY UPDATE OF m
        """;

    private const string UpdateFiguresSql = """
        UPDATE payment_metrics_5m m
        SET unique_customers = b.customers, unique_merchants = b.merchants, customers_sketch = b.customers_sketch, merchants_sketch = b.merchants_sketch, countries = b.countries::jsonb, updated_at = now()
        FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bytea[], $11::text[])
          AS b(w, method, currency, status, customers, merchants, customers_sketch, merchants_sketch, countries)
        WHERE m.window_start = b.w AND m.payment_method = b.method AND m.currency = b.currency AND m.payment_status = b.status AND m.window_start BETWEEN $5 AND $6
        """;

    // Answers where rows stand at the limit; without their groups, which are senders' texts.
    private const string UpsertBucketsSql = """
        WITH folded AS (
          INSERT INTO rule_buckets AS r (window_start, rule_name, rule_version, group_key, window_end, metric_type, event_count, matched, total, min_value, max_value)
          SELECT w, name, version, grp, e, type, count, matched, total, min, max
          FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[], $8::bigint[], $9::numeric[], $10::numeric[], $11::numeric[])
            AS b(w, name, version, grp, e, type, count, matched, total, min, max)
          ORDER BY w, name COLLATE "C", version COLLATE "C", grp COLLATE "C", e
          ON CONFLICT (window_start, rule_name, rule_version, group_key, window_end) DO UPDATE SET
            event_count = r.event_count + excluded.event_count,
            matched = r.matched + excluded.matched,
            total = greatest(-$12, least($12, r.total + excluded.total)),
            min_value = least(r.min_value, excluded.min_value),
            max_value = greatest(r.max_value, excluded.max_value),
            updated_at = now()
          RETURNING rule_name, rule_version, window_start, total, min_value, max_value
        )
        SELECT DISTINCT rule_name, rule_version, window_start FROM folded WHERE abs(total) >= $12 OR min_value <= -$12 OR max_value >= $12
        """;

    private const string SelectSamplesSql = "SELECT b.at, s.payload FROM unnest($1::timestamptz[]) WITH ORDINALITY AS b(w, at) JOIN cluster_samples s ON s.window_start = b.w WHERE s.window_start BETWEEN $2 AND $3";

    private const string UpsertSamplesSql = """
        INSERT INTO cluster_samples (window_start, payload)
        SELECT w, payload FROM unnest($1::timestamptz[], $2::bytea[]) AS b(w, payload) ORDER BY w
        ON CONFLICT (window_start) DO UPDATE SET payload = excluded.payload, updated_at = now()
        """;

    /// <summary>What readers can take of a bucket's sum: 96 bits. One that is larger stays there: it must not keep all others from being folded.</summary>
    private static readonly Int128 MostScaled = (Int128)decimal.MaxValue;

    /// <summary>One row of <c>metric_deltas</c>, for a fold to come.</summary>
    public static async Task AppendAsync(NpgsqlTransaction transaction, MetricDelta delta, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("INSERT INTO metric_deltas (payload) VALUES ($1)", transaction.Connection, transaction) { Parameters = { new() { Value = DeltaCodec.Encode(delta) } } };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Adds the delta to what the tables hold. One at a time: the caller holds <see cref="DeltaFolder.LockKey"/>, so that what is read here stays as it is until it is written. Rows of figures, which commits lock too, come last and are locked briefly.
    /// </summary>
    public static async Task MergeAsync(NpgsqlTransaction transaction, MetricDelta delta, CancellationToken cancellationToken, ILogger? logger = null)
    {
        await MergeOthersAsync(transaction, delta, logger, cancellationToken);
        await MergeFiguresAsync(transaction, [.. delta.Figures()], cancellationToken);
    }

    /// <summary>The same for figures whose counts are not in the tables yet: they are put in once all else is merged, so that their rows are locked briefly here too.</summary>
    internal static async Task MergeAsync(NpgsqlTransaction transaction, FigureAccumulator figures, CancellationToken cancellationToken, ILogger? logger = null)
    {
        await MergeOthersAsync(transaction, figures.Delta, logger, cancellationToken);
        await FigureTables.UpsertAsync(transaction, figures, cancellationToken);
        await MergeFiguresAsync(transaction, [.. figures.Delta.Figures()], cancellationToken);
    }

    private static async Task MergeOthersAsync(NpgsqlTransaction transaction, MetricDelta delta, ILogger? logger, CancellationToken cancellationToken)
    {
        await MergeHistogramsAsync(transaction, [.. delta.Histograms()], cancellationToken);
        await MergeBucketsAsync(transaction, [.. delta.Buckets()], logger ?? NullLogger.Instance, cancellationToken);
        await MergeSamplesAsync(transaction, [.. delta.Samples], cancellationToken);
    }

    private static async Task MergeHistogramsAsync(NpgsqlTransaction transaction, FoldedHistogram[] rows, CancellationToken cancellationToken)
    {
        if (rows.Length == 0)
            return;
        await using (var select = new NpgsqlCommand(SelectHistogramsSql, transaction.Connection, transaction))
        {
            AddKey(select);
            select.Parameters.Add(SqlArray.Time(rows[0].WindowStart));
            select.Parameters.Add(SqlArray.Time(rows[^1].WindowStart));
            await using var reader = await select.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                rows[reader.GetInt64(0) - 1].Sketch.MergeBytes(reader.GetFieldValue<byte[]>(1));
        }

        await using var upsert = new NpgsqlCommand(UpsertHistogramsSql, transaction.Connection, transaction);
        AddKey(upsert);
        upsert.Parameters.Add(SqlArray.Of(rows, r => r.Sketch.Count));
        upsert.Parameters.Add(SqlArray.Bytes(rows, r => r.Sketch.ToBytes()));
        await upsert.ExecuteNonQueryAsync(cancellationToken);

        void AddKey(NpgsqlCommand command)
        {
            command.Parameters.Add(SqlArray.Times(rows, r => r.WindowStart));
            command.Parameters.Add(SqlArray.Times(rows, r => r.WindowEnd));
            command.Parameters.Add(SqlArray.Of(rows, r => r.MetricType));
            command.Parameters.Add(SqlArray.Of(rows, r => r.EventType));
        }
    }

    private static async Task MergeFiguresAsync(NpgsqlTransaction transaction, FoldedFigure[] rows, CancellationToken cancellationToken)
    {
        if (rows.Length == 0)
            return;
        await using (var select = new NpgsqlCommand(SelectFiguresSql, transaction.Connection, transaction))
        {
            AddKey(select.Parameters);
            await using var reader = await select.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var row = rows[reader.GetInt64(0) - 1];
                row.Customers.MergeBytes(reader.GetFieldValue<byte[]>(1));
                row.Merchants.MergeBytes(reader.GetFieldValue<byte[]>(2));
                foreach (var (country, count) in JsonSerializer.Deserialize<Dictionary<string, long>>(reader.GetString(3))!)
                    row.Countries[country] = row.Countries.GetValueOrDefault(country) + count;
            }
        }

        var update = new NpgsqlBatchCommand(UpdateFiguresSql);
        AddKey(update.Parameters);
        update.Parameters.Add(SqlArray.Of(rows, r => r.Customers.Estimate()));
        update.Parameters.Add(SqlArray.Of(rows, r => r.Merchants.Estimate()));
        update.Parameters.Add(SqlArray.Bytes(rows, r => r.Customers.ToBytes()));
        update.Parameters.Add(SqlArray.Bytes(rows, r => r.Merchants.ToBytes()));
        update.Parameters.Add(SqlArray.Of(rows, r => JsonSerializer.Serialize(r.Countries)));
        var locking = new NpgsqlBatchCommand(LockFiguresSql);
        AddKey(locking.Parameters);
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction) { BatchCommands = { locking, update } };
        await batch.ExecuteNonQueryAsync(cancellationToken);

        void AddKey(NpgsqlParameterCollection parameters)
        {
            parameters.Add(SqlArray.Times(rows, r => r.Key.WindowStart));
            parameters.Add(SqlArray.Of(rows, r => r.Key.PaymentMethod));
            parameters.Add(SqlArray.Of(rows, r => r.Key.Currency));
            parameters.Add(SqlArray.Of(rows, r => r.Key.PaymentStatus));
            parameters.Add(SqlArray.Time(rows[0].Key.WindowStart));
            parameters.Add(SqlArray.Time(rows[^1].Key.WindowStart));
        }
    }

    private static async Task MergeBucketsAsync(NpgsqlTransaction transaction, FoldedBucket[] rows, ILogger logger, CancellationToken cancellationToken)
    {
        if (rows.Length == 0)
            return;
        await using var command = new NpgsqlCommand(UpsertBucketsSql, transaction.Connection, transaction);
        command.Parameters.Add(SqlArray.Times(rows, r => r.Bucket.WindowStartMicros));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Bucket.RuleName));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Version));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Bucket.GroupKey));
        command.Parameters.Add(SqlArray.Times(rows, r => r.Bucket.WindowEndMicros));
        command.Parameters.Add(SqlArray.Of(rows, r => RuleNames.Type(r.Bucket.MetricType)));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Values.Count));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Values.Matched));
        command.Parameters.Add(SqlArray.Of(rows, r => Limited(r.Values.Sum)));
        command.Parameters.Add(SqlArray.Of(rows, r => HasValues(r) ? Limited(r.Values.Min) : (decimal?)null));
        command.Parameters.Add(SqlArray.Of(rows, r => HasValues(r) ? Limited(r.Values.Max) : (decimal?)null));
        command.Parameters.Add(new() { Value = MetricsWriter.ToDecimal(MostScaled) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            LogAtLimit(logger, reader.GetString(0), reader.GetString(1), reader.GetDateTime(2), MetricsWriter.ToDecimal(MostScaled));
    }

    private static decimal Limited(Int128 scaled) => MetricsWriter.ToDecimal(Int128.Clamp(scaled, -MostScaled, MostScaled));

    private static bool HasValues(FoldedBucket row) => row.Bucket.MetricType is MetricType.Sum or MetricType.Average && row.Values.Count > 0;

    private static async Task MergeSamplesAsync(NpgsqlTransaction transaction, KeyValuePair<long, ClusterSample>[] rows, CancellationToken cancellationToken)
    {
        if (rows.Length == 0)
            return;
        await using (var select = new NpgsqlCommand(SelectSamplesSql, transaction.Connection, transaction))
        {
            select.Parameters.Add(SqlArray.Times(rows, r => r.Key));
            select.Parameters.Add(SqlArray.Time(rows[0].Key));
            select.Parameters.Add(SqlArray.Time(rows[^1].Key));
            await using var reader = await select.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                foreach (var item in ClusterSample.FromBytes(reader.GetFieldValue<byte[]>(1)).Items)
                    rows[reader.GetInt64(0) - 1].Value.Add(item);
            }
        }

        await using var upsert = new NpgsqlCommand(UpsertSamplesSql, transaction.Connection, transaction);
        upsert.Parameters.Add(SqlArray.Times(rows, r => r.Key));
        upsert.Parameters.Add(SqlArray.Bytes(rows, r => r.Value.ToBytes()));
        await upsert.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Values of rule {Rule}, version {Version}, in the window from {Start:u} are too large to be added up: a group's figure stays at {Limit} and is wrong. Narrow the rule's condition, its group or its window")]
    private static partial void LogAtLimit(ILogger logger, string rule, string version, DateTime start, decimal limit);
}

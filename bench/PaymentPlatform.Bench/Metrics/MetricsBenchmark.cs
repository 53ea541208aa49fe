using System.Globalization;
using PaymentPlatform.Bench.Inputs;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.MetricEngine.Sketches;
using PaymentPlatform.Metrics;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Bench.Metrics;

/// <summary>
/// `metrics`: one core from a file of simulated NDJSON to everything that a commit would write: parsing and validation, all starter rules with their state, five-minute figures, histograms, unique counts, countries, samples, encoded deltas.
/// The peer is DuckDB with one thread over read_ndjson of the same file: a GROUP BY of counts and amounts, and one of what our figures are without rules (unique counts, percentiles, countries too).
/// </summary>
internal static class MetricsBenchmark
{
    private const int BatchSize = 5_000;
    private const int Rounds = 8;

    private static readonly string SameFigures = string.Create(CultureInfo.InvariantCulture, $"""
        , approx_count_distinct(customer_id), approx_count_distinct(merchant_id), histogram(customer_country), approx_quantile(amount, [0.5, 0.95, 0.99]),
        approx_quantile(epoch(make_timestamp({EventFile.LaterMicros}) - transaction_timestamp), [0.5, 0.95, 0.99])
        """);

    public static Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var count = arguments.Number("events", 200_000);
        using var input = new EventFile(count);
        var events = (Aggregate: 0L, AggregateOnly: 0L, Peer: 0L);
        var all = ProcessorTime.Best(() => events.Aggregate = Run(input, withRules: true), Rounds);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Run(input, withRules: true);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        var figures = ProcessorTime.Best(() => events.AggregateOnly = Run(input, withRules: false), Rounds);
        using var duckDb = new SingleThreadDuckDb();
        var peer = ProcessorTime.Best(() => events.Peer = (long)duckDb.Scalar(GroupBy(input, "", ""))!, Rounds);
        var same = ProcessorTime.Best(() => events.Peer = (long)duckDb.Scalar(GroupBy(input, ", customer_id: 'VARCHAR', merchant_id: 'VARCHAR', customer_country: 'VARCHAR'", SameFigures))!, Rounds);
        // Both saw the same: DuckDB counts what has a positive amount and a known status and currency.
        if (events.Aggregate != events.AggregateOnly || events.Aggregate != events.Peer)
            throw new InvalidOperationException($"The counts differ: {events.Aggregate}, {events.AggregateOnly}, DuckDB {events.Peer}.");
        return Task.FromResult<IReadOnlyList<BenchmarkRow>>(
        [
            new("metrics: parse, all starter rules, all aggregation", count / all.TotalSeconds, count / peer.TotalSeconds, "events/s and core"),
            new("metrics: parse and all aggregation, no rules", count / figures.TotalSeconds, count / peer.TotalSeconds, "events/s and core"),
            new("metrics: the same; peer with unique counts, percentiles and countries", count / figures.TotalSeconds, count / same.TotalSeconds, "events/s and core"),
            new("metrics: allocated, deltas and hits included", (double)allocated / count, null, "bytes/event"),
            new("metrics: an event", input.BytesPerEvent, null, "bytes"),
        ]);
    }

    /// <returns>Valid events.</returns>
    private static long Run(EventFile events, bool withRules)
    {
        using var lines = new LineFile(events.Path);
        var parser = new TransactionParser(new() { CardData = CardDataMode.Mask });
        var evaluator = new RuleEvaluator(RuleSet.Starter);
        var state = new PartitionRuleState(evaluator.RuleSet);
        var partition = new StreamPartition("payments", "bench", 0);
        var figures = new FigureAccumulator();
        var results = new RuleResults();
        using var codec = new RuleStateCodec();
        var ids = new Streaming.PositionIds(partition);
        var (valid, written) = (0L, 0L);
        for (long offset = 0; lines.TryRead(out var line); offset++)
        {
            var result = parser.Parse(line, EventFile.LaterMicros);
            if (result.IsValid)
            {
                valid++;
                figures.Add(result.Transaction, EventFile.LaterMicros, StableHash.Of(ids.Of(offset)));
                if (withRules)
                {
                    results.Begin(partition);
                    evaluator.Evaluate(state, result, offset, EventFile.LaterMicros, results.Output);
                }
            }

            if ((offset + 1) % BatchSize == 0)
                Commit();
        }

        Commit();
        return written > 0 ? valid : 0;

        void Commit()
        {
            figures.Delta.AddBuckets(results.Output);
            written += PaymentPlatform.Metrics.Deltas.DeltaCodec.Encode(figures.Delta).Length + figures.Rows().Count();
            if (withRules)
                written += codec.Pack(state.WriteChanges).Length + results.Hits().Count();
            figures.Clear();
            results.Clear();
        }
    }

    /// <summary>All figures are hashed: DuckDB leaves out what nobody reads.</summary>
    private static string GroupBy(EventFile events, string columns, string aggregates) => string.Create(CultureInfo.InvariantCulture, $$"""
        SELECT sum(c)::BIGINT, bit_xor(hash(figures)) FROM (
          SELECT time_bucket(INTERVAL '5 minutes', transaction_timestamp) AS w, payment_method, currency, payment_status, count(*) AS c, sum(amount), min(amount), max(amount){{aggregates}}
          FROM read_ndjson({{SingleThreadDuckDb.Quote(events.Path)}}, columns = {transaction_timestamp: 'TIMESTAMP', amount: 'DECIMAL(19,4)', currency: 'VARCHAR', payment_method: 'VARCHAR', payment_status: 'VARCHAR'{{columns}}})
          WHERE amount > 0 AND transaction_timestamp < make_timestamp({{EventFile.LaterMicros}}) + INTERVAL '5 minutes' AND payment_status IN ('completed', 'success', 'declined', 'failed', 'timeout', 'error', 'pending', 'cancelled', 'refunded')
            AND currency IN ('USD', 'EUR', 'GBP', 'JPY', 'CAD', 'AUD', 'CHF', 'BRL', 'INR', 'SEK', 'CNY', 'MXN', 'SGD', 'NOK', 'DKK', 'PLN', 'BHD', 'KWD')
          GROUP BY ALL) figures
        """);
}

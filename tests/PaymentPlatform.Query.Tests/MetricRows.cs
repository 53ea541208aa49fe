using System.Text;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.Query.Tests;

/// <summary>Fills the folded tables as the metrics service would, from events.</summary>
internal static class MetricRows
{
    public static readonly string[] Methods = ["credit_card", "Überweisung", "a,b=c"], Currencies = ["EUR", "JPY"], Statuses = ["completed", "declined", "pending"], Countries = ["DE", "JP", "other", "unknown"];

    public sealed record Event(DateTime At, string Method, string Currency, string Status, decimal Amount, string Customer, string Country)
    {
        public DateTime Window(TimeSpan length) => new(At.Ticks - ((At.Ticks - DateTime.UnixEpoch.Ticks) % length.Ticks), DateTimeKind.Utc);
    }

    public static List<Event> Events(Random random, DateTime from, int minutes, int count) =>
    [
        .. Enumerable.Range(0, count).Select(_ => new Event(
            from.AddSeconds(random.Next(minutes * 60)), RandomArchive.Pick(random, Methods), RandomArchive.Pick(random, Currencies), RandomArchive.Pick(random, Statuses),
            random.Next(1, 5_000_000) / 10_000m, $"C{random.Next(40)}", RandomArchive.Pick(random, Countries))),
    ];

    public static async Task FillAsync(QueryHost host, List<Event> events)
    {
        foreach (var length in (TimeSpan[])[TimeSpan.FromMinutes(5), TimeSpan.FromHours(1), TimeSpan.FromDays(1)])
        {
            foreach (var group in events.GroupBy(e => (Start: e.Window(length), Type: new EventType(e.Currency, e.Method, e.Status))))
            {
                var sketch = new DDSketch();
                foreach (var e in group)
                    sketch.Add((Int128)(e.Amount * 10_000));
                await ExecuteAsync(
                    host, "INSERT INTO aggregate_histograms (time_window_start, time_window_end, metric_type, event_type, event_count, sketch) VALUES ($1, $2, 'transaction_amount', $3, $4, $5)",
                    group.Key.Start, group.Key.Start + length, group.Key.Type.ToString(), sketch.Count, sketch.ToBytes());
            }
        }

        foreach (var group in events.GroupBy(e => (Start: e.Window(TimeSpan.FromMinutes(5)), e.Method, e.Currency, e.Status)))
        {
            var customers = new HyperLogLog();
            foreach (var e in group)
                customers.Add(Encoding.UTF8.GetBytes(e.Customer));
            await ExecuteAsync(
                host,
                """
                INSERT INTO payment_metrics_5m (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount, unique_customers, unique_merchants, customers_sketch, merchants_sketch, countries)
                VALUES ($1, $1 + interval '5 minutes', $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12::jsonb)
                """,
                group.Key.Start, group.Key.Method, group.Key.Currency, group.Key.Status, group.LongCount(), group.Sum(e => e.Amount), group.Min(e => e.Amount), group.Max(e => e.Amount),
                customers.Estimate(), customers.ToBytes(), new HyperLogLog().ToBytes(), JsonSerializer.Serialize(group.CountBy(e => e.Country).ToDictionary()));
        }
    }

    public static Task ExecuteAsync(QueryHost host, string sql, params object[] values) => host.Archive.ExecuteAsync(sql, [.. values.Select(v => new NpgsqlParameter { Value = v })]);
}

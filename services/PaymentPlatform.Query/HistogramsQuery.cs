using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.Query;

/// <summary>Percentiles of whole windows: sketches of <c>aggregate_histograms</c>, merged by group. The rows hold windows of 5 minutes, an hour and a day; the longest that fit are read.</summary>
/// <param name="From">Microseconds since the Unix epoch; the start of a window, or of five minutes.</param>
/// <param name="To">The end of a window, or of five minutes.</param>
/// <param name="Window">Microseconds; null for the whole range as one window.</param>
/// <param name="Fields">The event type's fields that make a group: some of currency, payment_method, payment_status.</param>
public sealed record HistogramsQuery(string MetricType, long From, long To, long? Window, IReadOnlyList<string> Fields, MetricsCursor? After, int Limit)
{
    public const long FiveMinutes = 300_000_000, Hour = 12 * FiveMinutes, Day = 24 * Hour;

    /// <summary>Windows that are read at a time: few enough that a page does not read what lies far behind it.</summary>
    private const int WindowsAtOnce = 100;

    private static readonly long[] s_lengths = [Day, Hour, FiveMinutes];

    /// <summary>One item more than the limit where another page follows.</summary>
    public async Task<List<HistogramItem>> RunAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var items = new List<HistogramItem>();
        if (Window is not { } window)
        {
            var groups = new Dictionary<EventType, DDSketch>();
            foreach (var (from, to, length) in Cover(From, To, 0))
                await ReadAsync(connection, from, to, length, (_, type, sketch) => Merge(groups, type, sketch), cancellationToken);
            Append(items, From, To, groups);
            return items;
        }

        var rows = s_lengths.First(length => window % length == 0);
        var at = Math.Max(From, After?.WindowStart ?? From);
        while (items.Count <= Limit && await NextAsync(connection, at, rows, cancellationToken) is { } next)
        {
            at = Floor(next, window);
            var end = Math.Min(To, at + (WindowsAtOnce * window));
            var windows = new SortedDictionary<long, Dictionary<EventType, DDSketch>>();
            await ReadAsync(
                connection, at, end, rows,
                (start, type, sketch) =>
                {
                    var bin = Floor(start, window);
                    if (!windows.TryGetValue(bin, out var groups))
                        windows.Add(bin, groups = []);
                    Merge(groups, type, sketch);
                },
                cancellationToken);
            foreach (var (start, groups) in windows)
                Append(items, start, start + window, groups);
            at = end;
        }

        if (items.Count > Limit + 1)
            items.RemoveRange(Limit + 1, items.Count - Limit - 1);
        return items;
    }

    public MetricsCursor CursorAt(HistogramItem item) => new(From, To, Timestamps.ToMicros(item.WindowStart), KeysOf(item));

    public static long Floor(long micros, long length) => micros - (((micros % length) + length) % length);

    private static string[] KeysOf(HistogramItem item) => [item.Currency ?? "", item.PaymentMethod ?? "", item.PaymentStatus ?? ""];

    private void Merge(Dictionary<EventType, DDSketch> groups, EventType type, byte[] sketch)
    {
        var group = new EventType(Of("currency", type.Currency), Of("payment_method", type.PaymentMethod), Of("payment_status", type.PaymentStatus));
        if (!groups.TryGetValue(group, out var merged))
            groups.Add(group, merged = new());
        merged.MergeBytes(sketch);

        string Of(string field, string value) => Fields.Contains(field) ? value : "";
    }

    private void Append(List<HistogramItem> items, long start, long end, Dictionary<EventType, DDSketch> groups)
    {
        foreach (var (type, sketch) in groups.OrderBy(g => g.Key.Currency, StringComparer.Ordinal).ThenBy(g => g.Key.PaymentMethod, StringComparer.Ordinal).ThenBy(g => g.Key.PaymentStatus, StringComparer.Ordinal))
        {
            var item = new HistogramItem(
                Timestamps.ToDateTime(start), Timestamps.ToDateTime(end), Of("currency", type.Currency), Of("payment_method", type.PaymentMethod), Of("payment_status", type.PaymentStatus),
                sketch.Count, Trim(sketch.Quantile(0.5)), Trim(sketch.Quantile(0.9)), Trim(sketch.Quantile(0.95)), Trim(sketch.Quantile(0.99)));
            if (After is null || start > After.WindowStart || Compare(KeysOf(item), After.Keys) > 0)
                items.Add(item);
        }

        string? Of(string field, string value) => Fields.Contains(field) ? value : null;
    }

    private static int Compare(string[] a, string[] b) => a.Zip(b, string.CompareOrdinal).FirstOrDefault(order => order != 0);

    /// <summary>No zeros behind the last digit that counts.</summary>
    private static decimal? Trim(decimal? value) => value / 1.0000000000000000000000000000m;

    /// <summary>The range in as few and as long windows as there are rows for.</summary>
    private static IEnumerable<(long From, long To, long Length)> Cover(long from, long to, int longest)
    {
        if (from >= to || longest == s_lengths.Length)
            yield break;
        var length = s_lengths[longest];
        long first = -Floor(-from, length), last = Floor(to, length);
        if (first >= last)
            (first, last) = (to, to);
        foreach (var part in Cover(from, first, longest + 1))
            yield return part;
        if (first < last)
            yield return (first, last, length);
        foreach (var part in Cover(last, to, longest + 1))
            yield return part;
    }

    /// <summary>The first window's start from there on; null when there is none.</summary>
    private async Task<long?> NextAsync(NpgsqlConnection connection, long from, long length, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, "SELECT time_window_start", from, To, length, "ORDER BY time_window_start LIMIT 1");
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime start ? Timestamps.ToMicros(start) : null;
    }

    private async Task ReadAsync(NpgsqlConnection connection, long from, long to, long length, Action<long, EventType, byte[]> add, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, "SELECT time_window_start, event_type, sketch", from, to, length, "");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (EventType.TryParse(reader.GetString(1), out var type))
                add(Timestamps.ToMicros(reader.GetDateTime(0)), type, reader.GetFieldValue<byte[]>(2));
        }
    }

    private NpgsqlCommand Command(NpgsqlConnection connection, string select, long from, long to, long length, string order) => new(
        $"{select} FROM aggregate_histograms WHERE metric_type = @metric AND time_window_start >= @from AND time_window_start < @to AND time_window_end = time_window_start + @length {order}",
        connection)
    {
        Parameters =
        {
            new("metric", MetricType),
            new("from", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(from) },
            new("to", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(to) },
            new("length", NpgsqlDbType.Interval) { Value = TimeSpan.FromMicroseconds(length) },
        },
    };
}

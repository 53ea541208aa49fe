using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace PaymentPlatform.Bench.Questions;

/// <summary>`scan`: an hour, a merchant's month and SQL questions over HTTP; the peer is DuckDB with the same question over the files. Milliseconds, best of the rounds.</summary>
internal static class ScanBenchmark
{
    private const int Rounds = 3;

    private static readonly DateTime s_hour = GeneratedArchive.Start.AddDays(GeneratedArchive.Days / 2).AddHours(3);

    private static readonly (string Name, string Sql)[] s_questions =
    [
        ("one hour, count", $"SELECT count(*) FROM events WHERE {Within(s_hour, s_hour.AddHours(1))}"),
        ("amounts by currency and status", "SELECT currency, payment_status, count(*), sum(amount) FROM events WHERE is_valid GROUP BY ALL ORDER BY ALL"),
        ("success rate by day and method", "SELECT date_trunc('day', transaction_timestamp) AS day, payment_method, avg(CASE WHEN payment_status = 'completed' THEN 1 ELSE 0 END) FROM events GROUP BY ALL ORDER BY ALL"),
        ("ten largest merchants", "SELECT merchant_id, count(*) AS n, sum(amount) FROM events GROUP BY merchant_id ORDER BY n DESC, merchant_id LIMIT 10"),
        ("customers with declines in a day", $"SELECT customer_id, count(*) AS n FROM events WHERE payment_status = 'declined' AND {Within(s_hour.Date, s_hour.Date.AddDays(1))} GROUP BY customer_id HAVING count(*) > 1 ORDER BY n DESC, customer_id LIMIT 100"),
        ("distinct cards' countries by hour of a day", $"SELECT date_trunc('hour', transaction_timestamp) AS hour, count(DISTINCT customer_country), max(amount) FROM events WHERE {Within(s_hour.Date, s_hour.Date.AddDays(1))} GROUP BY ALL ORDER BY ALL"),
    ];

    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        await using var archive = await ArchiveUnderTest.OpenAsync(arguments);
        var merchant = archive.Peer.Rows($"SELECT merchant_id FROM {archive.Peer.Source} WHERE merchant_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")[0][0];
        var hour = $"v1/events?{Range(s_hour, s_hour.AddHours(1))}";
        var month = $"v1/events?merchant_id={Uri.EscapeDataString(merchant)}&{Range(GeneratedArchive.Start.Date, GeneratedArchive.Start.Date.AddDays(31))}";
        var hourSql = Events(archive, Within(s_hour, s_hour.AddHours(1)));
        var monthSql = Events(archive, $"merchant_id = '{merchant}' AND {Within(GeneratedArchive.Start.Date, GeneratedArchive.Start.Date.AddDays(31))}");
        var rows = new List<BenchmarkRow>();
        foreach (var (form, accept, options) in ((string, string, string)[])[("NDJSON", "application/x-ndjson", "FORMAT json"), ("CSV", "text/csv", "FORMAT csv"), ("Parquet", "application/vnd.apache.parquet", "FORMAT parquet, COMPRESSION zstd")])
        {
            rows.Add(new($"scan: one hour, {form}", await BestAsync(() => GetAsync(archive, hour, accept)), Best(() => archive.Peer.TimeCopy(hourSql, options)), "ms"));
            rows.Add(new($"scan: a merchant's month, {form}", await BestAsync(() => GetAsync(archive, month, accept)), Best(() => archive.Peer.TimeCopy(monthSql, options)), "ms"));
        }

        rows.AddRange(await AskAsync(archive));
        return rows;
    }

    /// <summary>The questions in SQL, once the service takes them.</summary>
    private static async Task<List<BenchmarkRow>> AskAsync(ArchiveUnderTest archive)
    {
        var rows = new List<BenchmarkRow>();
        using (var probe = await archive.Http.PostAsJsonAsync("v1/sql", new { sql = "SELECT 1" }))
        {
            if (probe.StatusCode == System.Net.HttpStatusCode.NotFound)
            {
                Console.WriteLine("POST /v1/sql is not there: the SQL questions are left out.");
                return rows;
            }
        }

        foreach (var (name, sql) in s_questions)
        {
            var peer = $"WITH events AS (SELECT * FROM {archive.Peer.Source} WHERE {Counts}) {sql}";
            await CheckAsync(archive, name, sql, peer);
            rows.Add(new($"scan: SQL, {name}", await BestAsync(() => PostAsync(archive, sql)), Best(() => archive.Peer.Time(peer)), "ms"));
        }

        return rows;
    }

    /// <exception cref="InvalidOperationException">The answers differ.</exception>
    private static async Task CheckAsync(ArchiveUnderTest archive, string name, string sql, string peer)
    {
        using var response = await archive.Http.PostAsJsonAsync("v1/sql", new { sql });
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        List<string> ours = [.. answer.GetProperty("rows").EnumerateArray().Select(row => string.Join('|', row.EnumerateArray().Select(value => Plain(value.ToString()))))];
        List<string> theirs = [.. archive.Peer.Rows($"SELECT COLUMNS(*)::VARCHAR FROM ({peer})").Select(row => string.Join('|', row.Select(Plain)))];
        if (!ours.SequenceEqual(theirs))
            throw new InvalidOperationException($"{name}: the answers differ, in {ours.Except(theirs).Count()} of {ours.Count} and {theirs.Count} rows.");
    }

    /// <summary>Without the two ways to write a number or a time; of a mean, which depends on the order of adding, nine places.</summary>
    private static string Plain(string value) =>
        decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? Math.Round(number, 9).ToString("0.#########", CultureInfo.InvariantCulture)
        : DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.UtcTicks.ToString(CultureInfo.InvariantCulture)
        : value;

    /// <summary>What counts, as in <c>/v1/events</c>.</summary>
    private const string Counts = "origin IS DISTINCT FROM 'replay' AND duplicate IS DISTINCT FROM true";

    private static string Events(ArchiveUnderTest archive, string where) =>
        $"SELECT * FROM {archive.Peer.Source} WHERE {where} AND {Counts} ORDER BY transaction_timestamp, stream_log_id, stream_partition, stream_offset";

    private static string Within(DateTime from, DateTime to) => $"transaction_timestamp >= TIMESTAMPTZ '{from:yyyy-MM-dd HH:mm:ss}Z' AND transaction_timestamp < TIMESTAMPTZ '{to:yyyy-MM-dd HH:mm:ss}Z'";

    private static string Range(DateTime from, DateTime to) => $"from={from:yyyy-MM-ddTHH:mm:ssZ}&to={to:yyyy-MM-ddTHH:mm:ssZ}";

    private static async Task<TimeSpan> GetAsync(ArchiveUnderTest archive, string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", accept } } };
        return await TimeAsync(archive, request);
    }

    private static async Task<TimeSpan> PostAsync(ArchiveUnderTest archive, string sql)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/sql") { Content = JsonContent.Create(new { sql }) };
        return await TimeAsync(archive, request);
    }

    private static async Task<TimeSpan> TimeAsync(ArchiveUnderTest archive, HttpRequestMessage request)
    {
        var watch = Stopwatch.StartNew();
        using var response = await archive.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{request.RequestUri}: {response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        await (await response.Content.ReadAsStreamAsync()).CopyToAsync(Stream.Null);
        return watch.Elapsed;
    }

    private static async Task<double> BestAsync(Func<Task<TimeSpan>> measure)
    {
        // The first one fetches the files.
        await measure();
        var best = double.MaxValue;
        for (var i = 0; i < Rounds; i++)
            best = Math.Min(best, (await measure()).TotalMilliseconds);
        return best;
    }

    private static double Best(Func<TimeSpan> measure) => BestAsync(() => Task.FromResult(measure())).Result;
}

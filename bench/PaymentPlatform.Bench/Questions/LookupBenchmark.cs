using System.Diagnostics;
using System.Text.Json;

namespace PaymentPlatform.Bench.Questions;

/// <summary>`lookup`: one transaction by its id over HTTP; the peer is DuckDB looking for it in all the files, which reads their Bloom filters too. Milliseconds.</summary>
internal static class LookupBenchmark
{
    private const int Ids = 1000;
    private const int PeerIds = 100;
    private const int ColdIds = 200;

    /// <summary>What issue 5 asks for.</summary>
    private const double TargetMilliseconds = 200;

    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        await using var archive = await ArchiveUnderTest.OpenAsync(arguments);
        var ids = archive.Peer.Rows($"SELECT DISTINCT transaction_id FROM {archive.Peer.Source} WHERE transaction_id IS NOT NULL ORDER BY hash(transaction_id) LIMIT {Ids + ColdIds}").ConvertAll(r => r[0]);
        var (warmIds, coldIds) = (ids[..Ids], ids[Ids..]);

        await archive.RestartAsync(withCache: false);
        var first = await TimeAsync(archive, ids[0]);
        var cold = await TimesAsync(archive, coldIds);
        // All files are in the cache from here on.
        await Task.WhenAll(warmIds.Chunk(Ids / 4).Select(chunk => TimesAsync(archive, chunk)));
        await archive.RestartAsync(withCache: true);
        var restarted = await TimeAsync(archive, ids[0]);
        // The copies are checked at their first use after a start.
        await TimesAsync(archive, warmIds);
        var warm = await TimesAsync(archive, warmIds);
        var absent = await TimesAsync(archive, [.. Enumerable.Range(0, Ids).Select(_ => Guid.NewGuid().ToString())]);
        var peer = warmIds[..PeerIds].Select(id => archive.Peer.Time($"SELECT * FROM {archive.Peer.Source} WHERE transaction_id = '{id}' ORDER BY enqueued_at, stream_partition, stream_offset").TotalMilliseconds).Order().ToArray();

        return
        [
            new("lookup: warm, p50", At(warm, 0.5), At(peer, 0.5), "ms"),
            new("lookup: warm, p99", At(warm, 0.99), At(peer, 0.99), "ms"),
            new("lookup: warm, p99 against the target", At(warm, 0.99), TargetMilliseconds, "ms"),
            new("lookup: id that is nowhere, p50", At(absent, 0.5), null, "ms"),
            new("lookup: id that is nowhere, p99", At(absent, 0.99), null, "ms"),
            new("lookup: file not in the cache, p50", At(cold, 0.5), At(peer, 0.5), "ms"),
            new("lookup: file not in the cache, p99", At(cold, 0.99), At(peer, 0.99), "ms"),
            new("lookup: first after a start with an empty cache", first, null, "ms"),
            new("lookup: first after a restart", restarted, null, "ms"),
        ];
    }

    private static double At(double[] sorted, double quantile) => sorted[(int)Math.Min(sorted.Length - 1, sorted.Length * quantile)];

    private static async Task<double[]> TimesAsync(ArchiveUnderTest archive, IReadOnlyList<string> ids)
    {
        var times = new double[ids.Count];
        for (var i = 0; i < times.Length; i++)
            times[i] = await TimeAsync(archive, ids[i]);
        Array.Sort(times);
        return times;
    }

    private static async Task<double> TimeAsync(ArchiveUnderTest archive, string id)
    {
        var watch = Stopwatch.StartNew();
        using var response = await archive.Http.GetAsync("v1/transactions/" + Uri.EscapeDataString(id));
        var answer = await response.Content.ReadAsByteArrayAsync();
        var elapsed = watch.Elapsed.TotalMilliseconds;
        if ((int)response.StatusCode is not (200 or 404))
            throw new InvalidOperationException($"{response.StatusCode}: {System.Text.Encoding.UTF8.GetString(answer)}");
        if (response.IsSuccessStatusCode && JsonDocument.Parse(answer).RootElement.GetProperty("events").GetArrayLength() == 0)
            throw new InvalidOperationException("An answer without events.");
        return elapsed;
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>
/// Single events among a load, each watched from its 202: until <c>/v1/metrics/payments</c> counts it, and until <c>/v1/transactions/{id}</c> finds it in the archive. One after the other, but for the archive, which takes seconds.
/// </summary>
internal sealed class VisibilityProbes(PlatformUnderTest platform)
{
    /// <summary>The load has none of it.</summary>
    private const string Currency = "ISK";

    private static readonly TimeSpan MetricsInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan ArchiveInterval = TimeSpan.FromMilliseconds(50);

    private static readonly ParallelOptions Lookups = new() { MaxDegreeOfParallelism = 4 };

    /// <summary>An event that is not visible by then is lost.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private readonly Random _pauses = new(1);
    private readonly ConcurrentDictionary<string, long> _unarchived = [];
    private readonly string _run = Guid.NewGuid().ToString("N");
    private readonly DateTime _start = DateTime.UtcNow;

    /// <summary>Accepted to counted.</summary>
    public Latencies Metrics { get; } = new();

    /// <summary>Accepted to found.</summary>
    public Latencies Archive { get; } = new();

    /// <summary>Sends probes until there are so many or it is stopped, and sees them through.</summary>
    public async Task RunAsync(int count, CancellationToken stop)
    {
        using var sent = new CancellationTokenSource();
        var archive = WatchArchiveAsync(sent.Token);
        try
        {
            var counted = await CountAsync();
            for (var i = 0; i < count && !stop.IsCancellationRequested; i++)
            {
                await ProbeAsync(i, counted + i + 1);
                await Task.Delay(_pauses.Next(50, 200), CancellationToken.None);
            }
        }
        finally
        {
            await sent.CancelAsync();
        }

        await archive;
    }

    private async Task ProbeAsync(int index, long expected)
    {
        var id = $"probe-{_run}-{index}";
        var now = DateTime.UtcNow;
        using var body = new StringContent(
            $$"""{"transaction_id":"{{id}}","transaction_timestamp":"{{now.ToString("O", CultureInfo.InvariantCulture)}}","amount":100,"currency":"{{Currency}}","payment_method":"credit_card","payment_status":"completed"}""",
            Encoding.UTF8,
            new MediaTypeHeaderValue("application/json"));
        using (var answer = await platform.Http.PostAsync("v1/transactions", body))
        {
            if (answer.StatusCode != HttpStatusCode.Accepted)
                throw new InvalidOperationException($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }

        var accepted = Stopwatch.GetTimestamp();
        _unarchived[id] = accepted;
        using var timer = new PeriodicTimer(MetricsInterval);
        while (await CountAsync() < expected)
        {
            ThrowIfLost(id, accepted);
            await timer.WaitForNextTickAsync();
        }

        Metrics.Add(Stopwatch.GetElapsedTime(accepted));
    }

    /// <summary>Probes that the figures have.</summary>
    private async Task<long> CountAsync()
    {
        using var metrics = JsonDocument.Parse(await platform.Http.GetStringAsync($"v1/metrics/payments?from={Time(_start)}&to={Time(_start.AddHours(1))}&metrics=payment_count"));
        return metrics.RootElement.GetProperty("items").EnumerateArray().Where(item => item.GetProperty("currency").GetString() == Currency).Sum(item => item.GetProperty("payment_count").GetInt64());
    }

    /// <summary>Looks for probes whenever the archiver has moved on, which it does with the file; until all are found.</summary>
    private async Task WatchArchiveAsync(CancellationToken sent)
    {
        using var timer = new PeriodicTimer(ArchiveInterval);
        for (var last = 0L; !sent.IsCancellationRequested || !_unarchived.IsEmpty; await timer.WaitForNextTickAsync(CancellationToken.None))
        {
            var position = await platform.PositionAsync("archiver", CancellationToken.None);
            if (position == last)
            {
                foreach (var (id, accepted) in _unarchived)
                    ThrowIfLost(id, accepted);
                continue;
            }

            last = position;
            // Side by side: one after the other, the last would wait for the look-ups of all others.
            await Parallel.ForEachAsync(_unarchived, Lookups, LookAsync);
        }

        async ValueTask LookAsync(KeyValuePair<string, long> probe, CancellationToken cancellationToken)
        {
            using var answer = await platform.Http.GetAsync($"v1/transactions/{probe.Key}", cancellationToken);
            if (answer.StatusCode == HttpStatusCode.NotFound)
                return;
            answer.EnsureSuccessStatusCode();
            var waited = Stopwatch.GetElapsedTime(probe.Value);
            lock (Archive)
                Archive.Add(waited);
            _unarchived.TryRemove(probe.Key, out _);
        }
    }

    private static void ThrowIfLost(string id, long accepted)
    {
        if (Stopwatch.GetElapsedTime(accepted) > Deadline)
            throw new TimeoutException($"{id} was accepted and is not visible {Deadline.TotalSeconds:0} s later.");
    }

    private static string Time(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

using System.Diagnostics;
using PaymentPlatform.Bench.EndToEnd;
using PaymentPlatform.Bench.Inputs;

namespace PaymentPlatform.Bench.ClickHouse;

/// <summary>
/// `clickhouse`: the whole platform beside ClickHouse, the same requests to both, each posted as soon as a connection is free. Ours counts until all is archived and counted, ClickHouse until its last answer (then rows and view are written);
/// processor time is of the servers, until both have done what they do afterwards (drained; merged). The first tenth of the requests warms up.
/// </summary>
internal static class ClickHouseBenchmark
{
    private const int EventsPerRequest = 1_000;
    private const int Seed = 5;

    /// <summary>Events with their exact bytes beside are more than twice as large: a part of them is enough.</summary>
    private const int RawShare = 4;

    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var path = arguments["clickhouse"];
        if (ClickHouseServer.Find(path) is not { } program)
        {
            Console.WriteLine($"clickhouse is left out: {(path is null ? "there is no clickhouse-server on the PATH" : $"{path} is not there")}; {ClickHouseServer.HowToGet}.");
            return [];
        }

        var events = arguments.Number("events", 2_000_000);
        Result ours, columns, raw;
        using (var requests = new RequestFile(events, EventsPerRequest, withRaw: false, Seed))
        {
            Console.WriteLine($"clickhouse: {events:N0} events of {requests.BytesPerEvent:N0} bytes, {EventsPerRequest:N0} a request, seed {Seed}");
            ours = await MeasureOursAsync(requests);
            columns = await MeasurePeerAsync(program, requests);
        }

        using (var requests = new RequestFile(events / RawShare, EventsPerRequest, withRaw: true, Seed))
            raw = await MeasurePeerAsync(program, requests);
        return
        [
            new("clickhouse: events of 1 kB over HTTP, until archived and counted", ours.Rate, columns.Rate, "events/s"),
            new("clickhouse: the same; peer keeps the exact bytes too", ours.Rate, raw.Rate, "events/s"),
            new("clickhouse: processor time of the servers", ours.ProcessorMicros, columns.ProcessorMicros, "µs/event"),
            new("clickhouse: the same; peer keeps the exact bytes too", ours.ProcessorMicros, raw.ProcessorMicros, "µs/event"),
        ];
    }

    private static async Task<Result> MeasureOursAsync(RequestFile requests)
    {
        await using var platform = await PlatformUnderTest.StartAsync(CancellationToken.None);
        var result = await MeasureAsync(
            requests, platform.Http, new(platform.Url, "v1/transactions"), () => platform.ProcessorTime().Values.Aggregate(TimeSpan.Zero, (sum, time) => sum + time), () => platform.DrainAsync(CancellationToken.None), untilSettled: true);
        Console.WriteLine($"  ours: {result}");
        return result;
    }

    private static async Task<Result> MeasurePeerAsync(string program, RequestFile requests)
    {
        await using var server = await ClickHouseServer.StartAsync(program);
        var result = await MeasureAsync(requests, server.Http, server.Insert, () => server.ProcessorTime, server.WaitUntilMergedAsync, untilSettled: false);
        var all = $"{(long)requests.Count * requests.EventsPerRequest}";
        var (stored, summed) = (await server.AskAsync("SELECT count() FROM events"), await server.AskAsync("SELECT sum(events) FROM figures"));
        if (stored != all || summed != all)
            throw new InvalidOperationException($"ClickHouse has {stored} events, {summed} in its figures, of {all}.");
        Console.WriteLine($"  ClickHouse {await server.AskAsync("SELECT version()")}, {requests.BytesPerEvent:N0} bytes an event: {result}");
        return result;
    }

    /// <param name="processorTime">Of the server, since its start.</param>
    /// <param name="settle">Until it has done what it does after the answers.</param>
    /// <param name="untilSettled">Whether what was sent counts as done only then.</param>
    private static async Task<Result> MeasureAsync(RequestFile requests, HttpClient client, Uri url, Func<TimeSpan> processorTime, Func<Task> settle, bool untilSettled)
    {
        var warmUp = Math.Max(1, requests.Count / 10);
        await requests.PostAsync(client, url, 0, warmUp);
        await settle();
        var (before, clock) = (processorTime(), Stopwatch.StartNew());
        await requests.PostAsync(client, url, warmUp, requests.Count);
        var answered = clock.Elapsed;
        await settle();
        return new((requests.Count - warmUp) * (double)requests.EventsPerRequest, answered, clock.Elapsed, processorTime() - before, untilSettled);
    }

    private sealed record Result(double Events, TimeSpan Answered, TimeSpan Settled, TimeSpan ProcessorTime, bool UntilSettled)
    {
        public double Rate => Events / (UntilSettled ? Settled : Answered).TotalSeconds;

        public double ProcessorMicros => ProcessorTime.TotalMicroseconds / Events;

        public override string ToString() =>
            $"{Events:N0} events answered in {Answered.TotalSeconds:0.0} s ({Events / Answered.TotalSeconds:N0} events/s), all done in {Settled.TotalSeconds:0.0} s; {ProcessorMicros:0.0} µs of processor time an event";
    }
}

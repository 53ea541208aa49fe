using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Simulator;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Simulator.Tests;

/// <summary>Against a real HTTP server that keeps ingest's contract, keys included, and fails on purpose.</summary>
public sealed class HttpEventSenderTests : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, int> _keys = new();
    private readonly ConcurrentBag<string> _lines = [];
    private WebApplication? _server;
    private int _requests;
    private Func<int, HttpContext, Task<bool>> _fault = (_, _) => Task.FromResult(false);

    private Uri Url => new(_server!.Urls.Single());

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.MapPost("/v1/transactions", TakeAsync);
        await _server.StartAsync();
    }

    public async ValueTask DisposeAsync() => await _server!.DisposeAsync();

    [Fact]
    public async Task Simulate_ServerFailsNowAndThen_EachEventOnce()
    {
        _fault = async (request, http) =>
        {
            switch (request % 7)
            {
                case 2:
                    http.Response.StatusCode = 503;
                    http.Response.Headers.RetryAfter = "0";
                    return true;
                case 4:
                    // Taken, but the answer never arrives.
                    await ReadAsync(http);
                    http.Abort();
                    return true;
                default:
                    return false;
            }
        };
        var record = Path.GetTempFileName();

        var exit = await SimulateCommand.RunAsync(new() { Target = SimulatorTarget.Http, Url = Url, Total = 20_500, Seed = 3, Record = record }, TestContext.Current.CancellationToken);

        Assert.Equal(0, exit);
        Assert.Equal(20_500, _lines.Count);
        Assert.Equal(_lines.Order(), File.ReadLines(record).Order());
        File.Delete(record);
    }

    [Fact]
    public async Task Simulate_EventsRejected_NotRecorded()
    {
        _fault = async (_, http) =>
        {
            await ReadAsync(http);
            await http.Response.WriteAsync("""{"accepted": 8, "rejected_count": 2, "rejected": [{"index": 7}, {"index": 1}]}""");
            return true;
        };
        var record = Path.GetTempFileName();

        await SimulateCommand.RunAsync(new() { Target = SimulatorTarget.Http, Url = Url, Total = 10, Seed = 4, Record = record }, TestContext.Current.CancellationToken);

        // The events' times differ, their ids don't.
        var ids = TransactionGeneratorTests.Lines(4, 10).Where((_, i) => i is not (1 or 7)).Select(Id);
        Assert.Equal(ids, File.ReadLines(record).Select(Id));
        File.Delete(record);
    }

    [Fact]
    public async Task Simulate_ServerRefuses_OneLineAndExit1()
    {
        _fault = (_, http) =>
        {
            http.Response.StatusCode = 401;
            return Task.FromResult(true);
        };

        Assert.Equal(1, await SimulateCommand.RunAsync(new() { Target = SimulatorTarget.Http, Url = Url, Total = 10 }, TestContext.Current.CancellationToken));
        Assert.Equal(1, _requests);
    }

    [Fact]
    public async Task Simulate_AtARate_TakesItsTime()
    {
        var started = System.Diagnostics.Stopwatch.StartNew();
        var exit = await SimulateCommand.RunAsync(new() { Target = SimulatorTarget.Http, Url = Url, Total = 500, Rate = 500 }, TestContext.Current.CancellationToken);

        Assert.Equal(0, exit);
        Assert.Equal(500, _lines.Count);
        Assert.True(started.Elapsed > TimeSpan.FromSeconds(0.9), $"{started.Elapsed}");
        Assert.True(_requests > 5, $"{_requests} requests");
    }

    [Fact]
    public async Task Simulate_Stopped_SeesThroughWhatIsUnderWay()
    {
        using var stop = new CancellationTokenSource();
        var run = SimulateCommand.RunAsync(new() { Target = SimulatorTarget.Http, Url = Url, Rate = 2_000 }, stop.Token);
        while (_requests < 5)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        await stop.CancelAsync();

        Assert.Equal(0, await run);
        Assert.NotEmpty(_lines);
    }

    [Fact]
    public async Task Simulate_NobodyListens_OneLineASoonEndAndExit1()
    {
        using var nobody = Nobody(out var dead);
        var lines = new ConcurrentQueue<string>();
        using var stop = new CancellationTokenSource();
        var run = SimulateCommand.RunAsync(new() { Target = SimulatorTarget.Http, Url = dead, Total = 10, Messages = new Lines(lines) }, stop.Token);
        await Eventually.TrueAsync(() => !lines.IsEmpty, "a line about the target");
        var asked = System.Diagnostics.Stopwatch.StartNew();
        await stop.CancelAsync();

        Assert.Equal(1, await run);
        Assert.InRange(asked.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.Equal(3, lines.Count);
        Assert.StartsWith($"{dead}v1/transactions does not answer (", lines.First());
        Assert.StartsWith("accepted 0, rejected 0, 10 not acknowledged", lines.ElementAt(1));
        Assert.StartsWith("Not accepted, as far as is known: 10 of 10 events.", lines.Last());
    }

    [Fact]
    public async Task Simulate_NobodyListensForTheDuration_EndsWithItAndExit1()
    {
        using var nobody = Nobody(out var dead);
        var lines = new ConcurrentQueue<string>();
        var run = SimulateCommand.RunAsync(new() { Target = SimulatorTarget.Http, Url = dead, Rate = 100, Duration = TimeSpan.FromMilliseconds(500), Messages = new Lines(lines) }, TestContext.Current.CancellationToken);

        Assert.Equal(1, await run.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
        Assert.Matches(@"^Not accepted, as far as is known: (?<n>\d+) of \k<n> events\.", lines.Last());
    }

    /// <summary>A port that is kept and not listened on.</summary>
    private static Socket Nobody(out Uri url)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        url = new($"http://{socket.LocalEndPoint}/");
        return socket;
    }

    private static string Id(string line) => line[..60];

    private async Task TakeAsync(HttpContext http)
    {
        http.Response.StatusCode = 202;
        if (await _fault(Interlocked.Increment(ref _requests), http))
            return;
        var lines = await ReadAsync(http);
        await http.Response.WriteAsync($$"""{"accepted": {{lines}}, "rejected_count": 0, "rejected": []}""");
    }

    /// <summary>Takes the body once per key.</summary>
    private async Task<int> ReadAsync(HttpContext http)
    {
        Assert.Equal("application/x-ndjson", http.Request.ContentType);
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        var lines = (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (_keys.TryAdd(http.Request.Headers["Idempotency-Key"].ToString(), lines.Length))
        {
            foreach (var line in lines)
                _lines.Add(line);
        }

        return lines.Length;
    }

    private sealed class Lines(ConcurrentQueue<string> lines) : StringWriter
    {
        public override void WriteLine(string? value) => lines.Enqueue(value!);

        public override Task WriteLineAsync(string? value)
        {
            WriteLine(value);
            return Task.CompletedTask;
        }
    }
}

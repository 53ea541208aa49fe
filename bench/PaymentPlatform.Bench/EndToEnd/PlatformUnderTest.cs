using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>The whole platform as its users run it, or some of its services, in a process of its own over a fresh data folder, and what it costs.</summary>
internal sealed partial class PlatformUnderTest : IAsyncDisposable
{
    /// <summary>After which an event is in a file at the latest: the default of ./platform run.</summary>
    public static readonly TimeSpan FlushAge = TimeSpan.FromSeconds(5);

    private const int WarmUpRate = 10_000;
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(40);

    private readonly string _data = Directory.CreateTempSubdirectory("platform-bench-").FullName;
    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _url = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PlatformUnderTest(string[] options)
    {
        if (ApiKey is { Length: > 0 } key)
            Http.DefaultRequestHeaders.Add("X-Api-Key", key);
        _process = Start(["run", "--data", _data, "--port", "0", "--simulator", "off", .. options, "--", $"--Archiver:FlushAge={FlushAge:c}"]);
    }

    /// <summary>To measure with credentials: Access__OperateKey, which the platform inherits, and Simulator__ApiKey, the same key.</summary>
    public static string? ApiKey => Environment.GetEnvironmentVariable("Simulator__ApiKey");

    public Uri Url => Http.BaseAddress!;

    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromSeconds(30) };

    public int ProcessId => _process.Id;

    /// <summary>For processes that join it.</summary>
    public string ConnectionsFile => Path.Combine(_data, "connections.json");

    /// <summary>Bytes.</summary>
    public long ResidentMemory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <param name="options">More of ./platform run's.</param>
    public static async Task<PlatformUnderTest> StartAsync(CancellationToken cancellationToken, params string[] options)
    {
        var platform = new PlatformUnderTest(options);
        if (await Task.WhenAny(platform._url.Task, platform._process.WaitForExitAsync(cancellationToken)) == platform._url.Task)
            platform.Http.BaseAddress = await platform._url.Task;
        while (!platform._process.HasExited)
        {
            try
            {
                using var answer = await platform.Http.GetAsync("health", cancellationToken);
                if (answer.IsSuccessStatusCode)
                    return platform;
            }
            catch (HttpRequestException)
            {
            }

            await Task.Delay(200, cancellationToken);
        }

        await platform.DisposeAsync();
        throw new InvalidOperationException("The platform did not start: try ./platform run.");
    }

    /// <summary>Compiles what is hot before it is measured: --warmup seconds (20) at 10,000 events a second, all of it taken in.</summary>
    public async Task WarmUpAsync(HttpLoad load, BenchArguments arguments)
    {
        var seconds = arguments.Number("warmup", 20);
        Console.WriteLine($"Warming up for {seconds} s at {WarmUpRate:N0} events/s…");
        await load.RunAsync(WarmUpRate, TimeSpan.FromSeconds(seconds), CancellationToken.None);
        await DrainAsync(CancellationToken.None);
    }

    /// <summary>Processor time since the start, by part: the platform's process, PostgreSQL and Azurite.</summary>
    public Dictionary<string, TimeSpan> ProcessorTime()
    {
        _process.Refresh();
        var times = new Dictionary<string, TimeSpan>(StringComparer.Ordinal) { ["platform"] = _process.TotalProcessorTime, ["postgres"] = TimeSpan.Zero, ["azurite"] = TimeSpan.Zero };
        foreach (var (name, time) in ProcessTree.ProcessorTimeOfChildren(_process.Id))
            times[name == "postgres" ? name : "azurite"] += time;
        return times;
    }

    /// <summary>Events not yet taken in, the worst consumer group.</summary>
    public Task<long> LagAsync(CancellationToken cancellationToken) =>
        ReadPipelineAsync(items => items.GroupBy(item => item.GetProperty("consumer_group").GetString()).Select(group => Sum(group, "lag")).DefaultIfEmpty(0).Max(), cancellationToken);

    /// <summary>Events that a consumer group has taken in, over all partitions.</summary>
    public Task<long> PositionAsync(string consumerGroup, CancellationToken cancellationToken) =>
        ReadPipelineAsync(items => Sum(items.Where(item => item.GetProperty("consumer_group").GetString() == consumerGroup), "position"), cancellationToken);

    /// <summary>Until all is archived and counted.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (await LagAsync(cancellationToken) > 0)
            await timer.WaitForNextTickAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            using (var stop = Process.Start("kill", ["-TERM", $"{_process.Id}"]))
                await stop.WaitForExitAsync();
            using var deadline = new CancellationTokenSource(StopDeadline);
            await _process.WaitForExitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited)
                _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    private async Task<long> ReadPipelineAsync(Func<JsonElement.ArrayEnumerator, long> read, CancellationToken cancellationToken)
    {
        using var pipeline = JsonDocument.Parse(await Http.GetStringAsync("v1/pipeline", cancellationToken));
        return read(pipeline.RootElement.GetProperty("items").EnumerateArray());
    }

    private static long Sum(IEnumerable<JsonElement> items, string property) => items.Sum(item => item.GetProperty(property).GetInt64());

    /// <summary>It says itself where it listens.</summary>
    private void ReadAddress(string line)
    {
        if (Address().Match(line) is { Success: true } match)
            _url.TrySetResult(new(match.Groups[1].Value));
    }

    [GeneratedRegex("^ +health +(http://.*/)health$")]
    private static partial Regex Address();

    private Process Start(string[] arguments)
    {
        var executable = Path.Combine(AppContext.BaseDirectory, "..", "..", "PaymentPlatform.Standalone", "release", "PaymentPlatform.Standalone.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", [Path.GetFullPath(executable), .. arguments]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        process.OutputDataReceived += (_, line) => ReadAddress(line.Data ?? "");
        process.BeginOutputReadLine();
        return process;
    }
}

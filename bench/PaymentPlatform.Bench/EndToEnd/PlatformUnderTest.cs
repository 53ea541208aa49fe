using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>The whole platform as its users run it, in a process of its own over a fresh data folder, and what it costs.</summary>
internal sealed partial class PlatformUnderTest : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("platform-bench-").FullName;
    private readonly DateTime _started = DateTime.Now;
    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _url = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PlatformUnderTest()
    {
        // To measure with credentials: Access__OperateKey and Simulator__ApiKey, the same key. The platform and the generator inherit them.
        if (Environment.GetEnvironmentVariable("Simulator__ApiKey") is { Length: > 0 } key)
            Http.DefaultRequestHeaders.Add("X-Api-Key", key);
        _process = Start(ReadAddress, "run", "--data", _data, "--port", "0", "--simulator", "off");
    }

    public Uri Url => Http.BaseAddress!;

    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>Bytes.</summary>
    public long ResidentMemory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public static async Task<PlatformUnderTest> StartAsync(CancellationToken cancellationToken)
    {
        var platform = new PlatformUnderTest();
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

        platform.Dispose();
        throw new InvalidOperationException("The platform did not start: try ./platform run.");
    }

    /// <summary>Starts the generator in a process of its own: its cost is the load's, not the platform's.</summary>
    public Process StartGenerator(int rate, long total, int seed) =>
        Start(_ => { }, "simulate", "--target", "http", "--url", Url.ToString(), "--rate", $"{rate}", "--total", $"{total}", "--seed", $"{seed}", "--start", "now");

    /// <summary>Processor time since the start, by part.</summary>
    public Dictionary<string, TimeSpan> ProcessorTime(Process? generator)
    {
        _process.Refresh();
        var times = new Dictionary<string, TimeSpan>
        {
            ["platform"] = _process.TotalProcessorTime,
            ["postgres"] = Sum("postgres"),
            ["azurite"] = Sum("node"),
        };
        if (generator is { HasExited: false })
        {
            generator.Refresh();
            times["generator"] = generator.TotalProcessorTime;
        }

        return times;
    }

    /// <summary>Events not yet taken in, the worst consumer group.</summary>
    public async Task<long> LagAsync(CancellationToken cancellationToken)
    {
        using var pipeline = JsonDocument.Parse(await Http.GetStringAsync("v1/pipeline", cancellationToken));
        return pipeline.RootElement.GetProperty("items").EnumerateArray()
            .GroupBy(item => item.GetProperty("consumer_group").GetString())
            .Select(group => group.Sum(item => item.GetProperty("lag").GetInt64()))
            .DefaultIfEmpty(0).Max();
    }

    public void Dispose()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            using (var stop = Process.Start("kill", ["-TERM", $"{_process.Id}"]))
                stop.WaitForExit();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(40)))
                _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>It says itself where it listens.</summary>
    private void ReadAddress(string line)
    {
        if (Address().Match(line) is { Success: true } match)
            _url.TrySetResult(new(match.Groups[1].Value));
    }

    [GeneratedRegex("^ +health +(http://.*/)health$")]
    private static partial Regex Address();

    private static Process Start(Action<string> read, params string[] arguments)
    {
        var executable = Path.Combine(AppContext.BaseDirectory, "..", "..", "PaymentPlatform.Standalone", "release", "PaymentPlatform.Standalone.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", [Path.GetFullPath(executable), .. arguments]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        process.OutputDataReceived += (_, line) => read(line.Data ?? "");
        process.BeginOutputReadLine();
        return process;
    }

    private TimeSpan Sum(string name)
    {
        var total = TimeSpan.Zero;
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                try
                {
                    // PostgreSQL's processes call themselves "postgres: what they do".
                    if (process.ProcessName.StartsWith(name, StringComparison.Ordinal) && process.StartTime >= _started)
                        total += process.TotalProcessorTime;
                }
                catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
                {
                    // Gone meanwhile.
                }
            }
        }

        return total;
    }
}

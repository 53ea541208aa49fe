using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>One `platform run` as a person starts it: a process of its own, that signals reach.</summary>
public sealed partial class PlatformProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();

    private PlatformProcess(Process process, string dataDirectory)
    {
        _process = process;
        DataDirectory = dataDirectory;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Port => Url.Port;

    public string DataDirectory { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>As it says itself once it listens: a port that was chosen beforehand could be another program's by then.</summary>
    public Uri Url => Said() ?? throw new InvalidOperationException($"The platform has not said yet where it listens:\n{Output}");

    public bool Listens => Said() is not null;

    public string ConnectionsFile => Path.Combine(DataDirectory, "connections.json");

    /// <summary>The messages of a joined process's own log that start with one of the texts.</summary>
    public List<string> LogLines(params string[] starts)
    {
        var log = Path.Combine(DataDirectory, "logs", $"platform-{Id}.log");
        if (!File.Exists(log))
            return [];
        using var reader = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return [.. reader.ReadToEnd().Split('\n').Where(line => starts.Any(start => line.Contains($"\"Message\":\"{start}", StringComparison.Ordinal)))];
    }

    public string Output => string.Join('\n', _output);

    /// <summary>Starts it and waits until it answers on /health.</summary>
    public static async Task<PlatformProcess> RunAsync(string dataDirectory, string arguments, IReadOnlyDictionary<string, string>? environment = null, CancellationToken cancellationToken = default)
    {
        var platform = Start(dataDirectory, arguments, environment);
        try
        {
            await platform.WaitUntilHealthyAsync(cancellationToken);
            return platform;
        }
        catch
        {
            await platform.DisposeAsync();
            throw;
        }
    }

    public static PlatformProcess Start(string dataDirectory, string arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "PaymentPlatform.Standalone.dll"));
        start.ArgumentList.Add("run");
        foreach (var argument in new[] { "--data", dataDirectory, "--port", "0" }.Concat(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new(Process.Start(start)!, dataDirectory);
    }

    public async Task<Connections> ConnectionsAsync(CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(ConnectionsFile);
        return (await JsonSerializer.DeserializeAsync<Connections>(file, JsonSerializerOptions.Web, cancellationToken))!;
    }

    /// <summary>SIGKILL: no warning, no goodbye.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Pause() => Signal(OperatingSystem.IsMacOS() ? 17 : 19);

    public void Continue() => Signal(OperatingSystem.IsMacOS() ? 19 : 18);

    /// <summary>SIGTERM, as a service manager stops it.</summary>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        Signal(15);
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public async Task WaitUntilHealthyAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"The platform ended with {_process.ExitCode}:\n{Output}");
            if (deadline.Elapsed > TimeSpan.FromMinutes(4))
                throw new TimeoutException($"The platform did not come up:\n{Output}");
            try
            {
                if (Said() is { } url)
                {
                    using var answer = await http.GetAsync(new Uri(url, "health"), cancellationToken);
                    if (answer.StatusCode == HttpStatusCode.OK)
                        return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
            }

            await Task.Delay(100, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Continue();
            Signal(15);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(45));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }

        _process.Dispose();
    }

    private Uri? Said() => _output.Select(line => Address().Match(line)).FirstOrDefault(match => match.Success) is { } match ? new(match.Groups[1].Value) : null;

    [GeneratedRegex("^ +health +(http://.*/)health$")]
    private static partial Regex Address();

    private void Keep(string? line)
    {
        if (line is not null)
            _output.Enqueue(line);
    }

    private void Signal(int signal)
    {
        if (!_process.HasExited && kill(_process.Id, signal) != 0)
            throw new InvalidOperationException($"kill({_process.Id}, {signal}) failed with {Marshal.GetLastPInvokeError()}.");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    /// <summary>The content of connections.json.</summary>
    public sealed record Connections(string Http, string Paymentsdb, string Blobs);
}

using System.Diagnostics;
using System.Text.Json.Nodes;

namespace PaymentPlatform.LocalInfrastructure;

/// <summary>A server behind node/supervise.js, which ends it when this process ends and starts it again when it ends by itself.</summary>
internal sealed class SupervisedServer : IAsyncDisposable
{
    private const long LogLimitBytes = 20L << 20;
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(40);

    private readonly Process _supervisor;
    private readonly string _log;
    private readonly string _name;
    private readonly long _logStart;
    private int _disposed;

    private SupervisedServer(string name, Process supervisor, string log, long logStart)
    {
        _name = name;
        _supervisor = supervisor;
        _log = log;
        _logStart = logStart;
    }

    /// <param name="specification">See node/supervise.js.</param>
    public static SupervisedServer Start(string name, string log, JsonObject specification)
    {
        if (File.Exists(log) && new FileInfo(log).Length > LogLimitBytes)
            File.Move(log, log + ".old", overwrite: true);
        specification["log"] = log;
        var logStart = File.Exists(log) ? new FileInfo(log).Length : 0;
        var supervisor = ToolProcess.Start("node", [NodeTools.Script("supervise.js"), specification.ToJsonString()], null);
        supervisor.OutputDataReceived += (_, _) => { };
        supervisor.ErrorDataReceived += (_, _) => { };
        supervisor.BeginOutputReadLine();
        supervisor.BeginErrorReadLine();
        return new(name, supervisor, log, logStart);
    }

    /// <summary>Waits until <paramref name="answers"/> says so; from then on the server is kept running.</summary>
    /// <exception cref="LocalPlatformException">The server ended, or did not answer in time.</exception>
    public async Task WaitUntilReadyAsync(Func<CancellationToken, Task<bool>> answers, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        while (!await answers(cancellationToken))
        {
            if (_supervisor.HasExited)
                throw new ServerEndedException($"{_name} did not start: {LastWords()} (log: {_log})", LastWords());
            if (clock.Elapsed > ReadyDeadline)
                throw new LocalPlatformException($"{_name} did not answer within {ReadyDeadline.TotalSeconds:0} s: {LastWords()} (log: {_log})");
            await Task.Delay(20, cancellationToken);
        }

        await _supervisor.StandardInput.WriteLineAsync("ready");
        await _supervisor.StandardInput.FlushAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        try
        {
            _supervisor.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has gone already.
        }

        using var deadline = new CancellationTokenSource(StopDeadline);
        try
        {
            await _supervisor.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            _supervisor.Kill(entireProcessTree: true);
        }

        _supervisor.Dispose();
    }

    private string LastWords()
    {
        if (!File.Exists(_log))
            return "it said nothing";
        using var stream = new FileStream(_log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = Math.Max(Math.Min(_logStart, stream.Length), stream.Length - 4096);
        using var reader = new StreamReader(stream);
        var lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length == 0 ? "it said nothing" : string.Join(" | ", lines.TakeLast(6));
    }
}

internal sealed class ServerEndedException(string message, string lastWords) : Exception(message)
{
    public string LastWords { get; } = lastWords;
}

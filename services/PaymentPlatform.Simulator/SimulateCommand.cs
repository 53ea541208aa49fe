using System.Text.Json;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Simulator;

/// <summary><c>./platform simulate</c>: the simulator alone. On standard output only events; progress and the summary go to standard error.</summary>
public static class SimulateCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    /// <returns>0 when all that was asked for was sent or the caller stopped it, 1 when the target refused, 2 for a wrong option.</returns>
    public static async Task<int> RunAsync(SimulateOptions options, CancellationToken cancellationToken)
    {
        if (Fault(options) is { } fault)
        {
            await Console.Error.WriteLineAsync(fault);
            return 2;
        }

        try
        {
            await SendAsync(options, cancellationToken);
            return 0;
        }
        catch (Exception exception) when (exception is SimulatorException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }

    private static async Task SendAsync(SimulateOptions options, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        using var host = options.Target == SimulatorTarget.Stream ? StreamHost(options.ConnectionsFile!) : null;
        await using var sender = CreateSender(options, host, time);
        using var recorder = options.Record is null ? null : new AcceptedRecorder(OpenFile(options.Record));
        using var abort = new CancellationTokenSource();
        await using var registration = cancellationToken.Register(() => abort.CancelAfter(StopTimeout));
        var generator = new TransactionGenerator(options.Seed ?? Random.Shared.NextInt64(), invalidShare: options.InvalidShare);
        var statistics = new TrafficStatistics(time);
        using (time.CreateTimer(_ => Console.Error.WriteLine(statistics.Progress()), null, ProgressInterval, ProgressInterval))
            await new Traffic(generator, sender, options.Rate, options.Total, Interval, statistics, recorder, time).RunAsync(cancellationToken, abort.Token);
        await Console.Error.WriteLineAsync(statistics.Summary());
    }

    private static string? Fault(SimulateOptions options) => options switch
    {
        { Rate: < 0 or > 10_000_000 } => $"--rate is {options.Rate}: it must lie between 0 (as fast as possible) and 10000000 events a second.",
        { Total: < 0 } => $"--total is {options.Total}: it must not be negative.",
        { InvalidShare: < 0 or > 1 } => $"--invalid-share is {options.InvalidShare}: it must lie between 0 and 1.",
        { Target: SimulatorTarget.Http, InvalidShare: > 0 } => "--invalid-share goes with the targets stream, file and stdout: ingest refuses invalid events.",
        { Target: SimulatorTarget.File, Out: null } => "--target file needs --out FILE.",
        { Target: not SimulatorTarget.File, Out: not null } => "--out goes with --target file.",
        { Target: SimulatorTarget.Stream, ConnectionsFile: null } => "--target stream needs --connections FILE, the connections.json of a running platform.",
        { ApiKey: { } key } when key.AsSpan().ContainsAnyExceptInRange('!', '~') => "Simulator__ApiKey must be printable ASCII characters without spaces.",
        { Url: { IsAbsoluteUri: false } } => $"--url is '{options.Url}': it must be an absolute address such as http://localhost:8080.",
        _ => null,
    };

    private static EventSender CreateSender(SimulateOptions options, IHost? host, TimeProvider time) => options.Target switch
    {
        SimulatorTarget.Http => new HttpEventSender(HttpEventSender.CreateClient(), Address(options), options.ApiKey, time),
        SimulatorTarget.File => new FileEventSender(OpenFile(options.Out!)),
        SimulatorTarget.Stdout => new FileEventSender(Console.OpenStandardOutput()),
        _ => new StreamEventSender(host!.Services.GetRequiredService<MessagePublisher>(), time),
    };

    private static Uri Address(SimulateOptions options) =>
        options.Url ?? new(options.ConnectionsFile is null ? "http://localhost:8080" : Connections(options.ConnectionsFile).GetValueOrDefault("http") ?? throw new SimulatorException($"{options.ConnectionsFile} names no http address: give --url."));

    private static FileStream OpenFile(string path) => new(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16);

    private static IHost StreamHost(string connectionsFile)
    {
        var builder = Host.CreateApplicationBuilder();
        // Standard output is for events.
        builder.Logging.ClearProviders();
        foreach (var (name, value) in Connections(connectionsFile))
            builder.Configuration[$"ConnectionStrings:{name}"] = value;
        builder.AddStreaming();
        return builder.Build();
    }

    private static Dictionary<string, string> Connections(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllBytes(file)) ?? [];
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException)
        {
            throw new SimulatorException($"--connections {file} can't be read: {exception.Message}", exception);
        }
    }
}

using System.Text.Json;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Simulator;

/// <summary><c>./platform simulate</c>: the simulator alone. On standard output only events; progress and the summary go to standard error.</summary>
public static class SimulateCommand
{
    /// <summary>Between two looks at what is due.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(10);

    /// <returns>0 when the target acknowledged all that was sent to it, also where the caller or --duration ended it, 1 when it did not, 2 for a wrong option or setting.</returns>
    public static async Task<int> RunAsync(SimulateOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var settings = options.Config is null ? SimulatorSettings.Default.WithInvalidShare(options.InvalidShare) : SettingsReader.ReadFile(options.Config);
            options = Merge(options, settings);
            if (Fault(options) is { } fault)
                throw new SimulatorException(fault) { IsWrongUsage = true };
            return await SendAsync(options, settings, cancellationToken) ? 0 : 1;
        }
        catch (SettingsException exception)
        {
            await options.Messages.WriteLineAsync(exception.Line > 0 ? exception.Message : $"--config {exception.Message}");
            return 2;
        }
        catch (Exception exception) when (exception is SimulatorException or IOException or UnauthorizedAccessException)
        {
            await options.Messages.WriteLineAsync(exception.Message);
            return exception is SimulatorException { IsWrongUsage: true } ? 2 : 1;
        }
    }

    /// <summary>What the command line does not say comes from the settings.</summary>
    private static SimulateOptions Merge(SimulateOptions options, SimulatorSettings settings)
    {
        var target = options.Target ?? settings.Target ?? SimulatorTarget.Http;
        var seed = options.Seed ?? settings.Seed;
        var followsClock = options.FollowClock || (options.Start is null && settings.FollowClock);
        // A seed promises the same bytes, and to a file nobody waits for the clock.
        var start = followsClock ? null : options.Start ?? settings.Start ?? (seed is not null || target is SimulatorTarget.File or SimulatorTarget.Stdout ? SimulatorSettings.FixedStart : null);
        return options with
        {
            Target = target,
            Url = options.Url ?? settings.Url,
            Out = options.Out ?? (target == SimulatorTarget.File ? settings.File : null),
            Total = options.Total ?? settings.Total,
            Duration = options.Duration ?? settings.Duration,
            Seed = seed,
            Start = start,
        };
    }

    /// <returns>Whether the target acknowledged all.</returns>
    private static async Task<bool> SendAsync(SimulateOptions options, SimulatorSettings settings, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        using var watch = options.Config is null ? null : new SettingsWatch(options.Config, settings, time, options.Messages.WriteLine);
        var generator = new TransactionGenerator(settings, options.Seed ?? Random.Shared.NextInt64(), validOnly: options.Target == SimulatorTarget.Http);
        using var host = options.Target == SimulatorTarget.Stream ? StreamHost(options.ConnectionsFile!) : null;
        await using var sender = CreateSender(options, settings, host, time);
        using var recorder = options.Record is null ? null : new AcceptedRecorder(OpenFile("--record", options.Record));
        using var truth = options.Truth is null ? null : new TruthRecorder(OpenFile("--truth", options.Truth));
        var statistics = new TrafficStatistics(time, options.Messages.WriteLine);
        await SayLeftOutAsync(generator, settings, options.Messages);
        var plan = new TrafficPlan
        {
            Settings = () => watch?.Current ?? settings,
            Rate = options.Rate,
            DefaultRate = options.Config is not null && options.Target is SimulatorTarget.Http or SimulatorTarget.Stream ? 100 : 0,
            Total = options.Total,
            Duration = options.Duration,
            Interval = Interval,
            Clock = options.Start is { } start ? new EventClock(start) : null,
        };
        using (time.CreateTimer(_ => options.Messages.WriteLine(statistics.Progress()), null, ProgressInterval, ProgressInterval))
            await new Traffic(generator, sender, plan, statistics, recorder, truth, time).RunAsync(cancellationToken);
        await options.Messages.WriteLineAsync(statistics.Summary());
        if (statistics.Unacknowledged is > 0 and var missing)
            await options.Messages.WriteLineAsync($"Not accepted, as far as is known: {missing} of {statistics.NextNumber - 1} events. The target did not acknowledge them before the end.");
        if (truth?.Withheld is > 0 and var withheld)
            await options.Messages.WriteLineAsync($"--truth leaves out {withheld} of these events: the end cut their groups short, and they match no pattern.");
        return statistics.Unacknowledged == 0;
    }

    private static async Task SayLeftOutAsync(TransactionGenerator generator, SimulatorSettings settings, TextWriter messages)
    {
        var left = generator.Profile.LeftOut;
        if (left.Count > 0)
            await messages.WriteLineAsync(string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"Ingest refuses invalid events: target http leaves out {string.Join(", ", left.Select(ViolationPatterns.Name))} ({100 * left.Sum(p => settings.Violations[p]):0.##} % of the events)."));
    }

    private static string? Fault(SimulateOptions options) => options switch
    {
        { Rate: < 0 or > 10_000_000 } => $"--rate is {options.Rate}: it must lie between 0 (as fast as possible) and 10000000 events a second.",
        { Total: < 0 } => $"--total is {options.Total}: it must not be negative.",
        { InvalidShare: < 0 or > 1 } => $"--invalid-share is {options.InvalidShare}: it must lie between 0 and 1.",
        { Config: not null, InvalidShare: > 0 } => "--invalid-share goes without --config: the file's violations say what is planted.",
        { Target: SimulatorTarget.Http, InvalidShare: > 0 } => "--invalid-share goes with the targets stream, file and stdout: ingest refuses invalid events.",
        { Target: SimulatorTarget.File, Out: null } => "--target file needs --out FILE.",
        { Target: not SimulatorTarget.File, Out: not null } => "--out goes with --target file.",
        { Target: SimulatorTarget.Stream, ConnectionsFile: null } => "--target stream needs --connections FILE, the connections.json of a running platform.",
        { ApiKey: { } key } when key.AsSpan().ContainsAnyExceptInRange('!', '~') => "Simulator__ApiKey must be printable ASCII characters without spaces.",
        { Url: { IsAbsoluteUri: false } } => $"--url is '{options.Url}': it must be an absolute address such as http://localhost:8080.",
        _ => SameFile(options),
    };

    private static string? SameFile(SimulateOptions options)
    {
        var files = new[] { ("--config", options.Config), ("--out", options.Out), ("--record", options.Record), ("--truth", options.Truth) }.Where(f => f.Item2 is not null).ToList();
        var clash = files.SelectMany((f, i) => files.Skip(i + 1).Where(g => Path.GetFullPath(f.Item2!) == Path.GetFullPath(g.Item2!)).Select(g => $"{f.Item1} and {g.Item1} are the same file.")).FirstOrDefault();
        return clash;
    }

    private static EventSender CreateSender(SimulateOptions options, SimulatorSettings settings, IHost? host, TimeProvider time) => options.Target switch
    {
        SimulatorTarget.Http => new HttpEventSender(HttpEventSender.CreateClient(), Address(options), options.ApiKey, time, inOrder: settings.Violations.Count > 0),
        SimulatorTarget.File => new FileEventSender(OpenFile("--out", options.Out!)),
        SimulatorTarget.Stdout => new FileEventSender(Console.OpenStandardOutput()),
        _ => new StreamEventSender(host!.Services.GetRequiredService<MessagePublisher>(), time),
    };

    private static Uri Address(SimulateOptions options) =>
        options.Url ?? new(options.ConnectionsFile is null ? "http://localhost:8080" : Connections(options.ConnectionsFile).GetValueOrDefault("http") ?? throw new SimulatorException($"{options.ConnectionsFile} names no http address: give --url."));

    private static FileStream OpenFile(string option, string path)
    {
        try
        {
            return new(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SimulatorException($"{option} {path} can't be written: {exception.Message}", exception) { IsWrongUsage = true };
        }
    }

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
            throw new SimulatorException($"--connections {file} can't be read: {exception.Message}", exception) { IsWrongUsage = true };
        }
    }
}

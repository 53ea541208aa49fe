using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.Standalone;

/// <summary><c>simulate</c>: reads the options; the simulator checks that they go together.</summary>
internal static class SimulateCommandLine
{
    private const string Now = "now";
    private const double DefaultRate = 100;

    private static readonly Dictionary<string, SimulatorTarget> Targets = Enum.GetValues<SimulatorTarget>().ToDictionary(t => t.ToString().ToLowerInvariant());

    /// <summary>As the service's own option Simulator:ApiKey.</summary>
    private const string ApiKeyVariable = "Simulator__ApiKey";

    public static Command Create()
    {
        var config = new Option<string?>("--config") { Description = "Settings such as services/PaymentPlatform.Simulator/simulator.yaml, read again when they change; options go before them.", HelpName = "FILE" };
        var target = new Option<string?>("--target") { Description = "Where the events go: http, stream, file or stdout. [default: the file's, else http]", HelpName = "TARGET" };
        target.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !Targets.ContainsKey(token.Value))
                result.AddError($"--target must be one of {string.Join(", ", Targets.Keys)}, not '{token.Value}'.");
        });
        var url = new Option<Uri?>("--url") { Description = "Where ingest listens. [default: http://localhost:8080]", HelpName = "URL", CustomParser = Address };
        var connections = new Option<string?>("--connections") { Description = "The connections.json of a running platform; needed for the target stream.", HelpName = "FILE" };
        var total = new Option<long?>("--total") { Description = "How many events; without it and --duration, until Ctrl+C.", HelpName = "N" };
        var duration = new Option<string?>("--duration") { Description = "How long, such as 90s, 10m or 2h.", HelpName = "TIME" };
        duration.Validators.Add(result => Check(result, "--duration", text => DurationText.TryParse(text, out _), "a time such as 90s, 10m, 2h or 00:10:00"));
        var rate = new Option<double?>("--rate") { Description = "Events a second; 0 is as fast as the target takes them. [default: 100, with --config to file and stdout 0]", HelpName = "N" };
        var seed = new Option<long?>("--seed") { Description = "The same seed makes the same events, byte for byte.", HelpName = "N" };
        var start = new Option<string?>("--start") { Description = "Where the events' time begins; 'now' follows the clock. [default: now; with --seed, file and stdout 2025-12-01T00:00:00Z]", HelpName = "TIME" };
        start.Validators.Add(result => Check(result, "--start", text => text == Now || SimulateOptions.TryStart(text, out _), "'now' or a moment such as 2025-12-01T00:00:00Z"));
        var output = new Option<string?>("--out") { Description = "The file of the target file.", HelpName = "FILE" };
        var invalid = new Option<double>("--invalid-share") { Description = "Share of events that break a rule on purpose, 0 to 1; not with http.", HelpName = "SHARE" };
        var truth = new Option<string?>("--truth") { Description = "A file that gets what was planted: a line of JSON an event.", HelpName = "FILE" };
        var record = new Option<string?>("--record") { Description = "A file that gets each accepted event.", HelpName = "FILE" };

        var command = new Command("simulate", $"Make traffic, and nothing else. On stdout only events, one a line. Where calls need a credential, {ApiKeyVariable} in the environment is the key.") 
        {
            config, target, url, connections, total, duration, rate, seed, start, output, truth, invalid, record,
        };
        command.SetAction(async (parsed, _) =>
        {
            using var stop = new CancellationTokenSource();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            return await SimulateCommand.RunAsync(
                new()
                {
                    Config = parsed.GetValue(config),
                    Target = parsed.GetValue(target) is { } name ? Targets[name] : null,
                    Url = parsed.GetValue(url),
                    // Not an option: other users of the machine see those.
                    ApiKey = Environment.GetEnvironmentVariable(ApiKeyVariable),
                    ConnectionsFile = parsed.GetValue(connections),
                    Total = parsed.GetValue(total),
                    Duration = parsed.GetValue(duration) is { } time && DurationText.TryParse(time, out var length) ? length : null,
                    // A configuration knows its own.
                    Rate = parsed.GetValue(rate) ?? (parsed.GetValue(config) is null ? DefaultRate : null),
                    Seed = parsed.GetValue(seed),
                    Start = parsed.GetValue(start) is { } moment && SimulateOptions.TryStart(moment, out var from) ? from : null,
                    FollowClock = parsed.GetValue(start) == Now,
                    Out = parsed.GetValue(output),
                    InvalidShare = parsed.GetValue(invalid),
                    Truth = parsed.GetValue(truth),
                    Record = parsed.GetValue(record),
                },
                stop.Token);

            void Stop(PosixSignalContext context)
            {
                context.Cancel = true;
                stop.Cancel();
            }
        });
        return command;
    }

    private static void Check(OptionResult result, string option, Func<string, bool> isRight, string expected)
    {
        if (result.Tokens is [var token] && !isRight(token.Value))
            result.AddError($"{option} must be {expected}, not '{token.Value}'.");
    }

    private static Uri? Address(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && (url.Scheme is "http" or "https"))
            return url;
        result.AddError($"--url must be an address such as http://localhost:8080, not '{result.Tokens[0].Value}'.");
        return null;
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.Standalone;

/// <summary><c>simulate</c>: reads the options; the simulator checks that they go together.</summary>
internal static class SimulateCommandLine
{
    private static readonly Dictionary<string, SimulatorTarget> Targets = Enum.GetValues<SimulatorTarget>().ToDictionary(t => t.ToString().ToLowerInvariant());

    /// <summary>As the service's own option Simulator:ApiKey.</summary>
    private const string ApiKeyVariable = "Simulator__ApiKey";

    public static Command Create()
    {
        var target = new Option<string>("--target") { Description = "Where the events go: http, stream, file or stdout.", HelpName = "TARGET", DefaultValueFactory = _ => "http" };
        target.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !Targets.ContainsKey(token.Value))
                result.AddError($"--target must be one of {string.Join(", ", Targets.Keys)}, not '{token.Value}'.");
        });
        var url = new Option<Uri?>("--url") { Description = "Where ingest listens. [default: http://localhost:8080]", HelpName = "URL", CustomParser = Address };
        var connections = new Option<string?>("--connections") { Description = "The connections.json of a running platform; needed for the target stream.", HelpName = "FILE" };
        var total = new Option<long?>("--total") { Description = "How many events; without it, until Ctrl+C.", HelpName = "N" };
        var rate = new Option<double>("--rate") { Description = "Events a second; 0 is as fast as the target takes them.", HelpName = "N", DefaultValueFactory = _ => 100 };
        var seed = new Option<long?>("--seed") { Description = "The same seed makes the same payments.", HelpName = "N" };
        var output = new Option<string?>("--out") { Description = "The file of the target file.", HelpName = "FILE" };
        var invalid = new Option<double>("--invalid-share") { Description = "Share of events that break a rule on purpose, 0 to 1; not with http.", HelpName = "SHARE" };
        var record = new Option<string?>("--record") { Description = "A file that gets each accepted event.", HelpName = "FILE" };

        var command = new Command("simulate", $"Make traffic, and nothing else. On stdout only events, one a line. Where calls need a credential, {ApiKeyVariable} in the environment is the key.") { target, url, connections, total, rate, seed, output, invalid, record };
        command.SetAction(async (parsed, _) =>
        {
            using var stop = new CancellationTokenSource();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            return await SimulateCommand.RunAsync(
                new()
                {
                    Target = Targets[parsed.GetValue(target)!],
                    Url = parsed.GetValue(url),
                    // Not an option: other users of the machine see those.
                    ApiKey = Environment.GetEnvironmentVariable(ApiKeyVariable),
                    ConnectionsFile = parsed.GetValue(connections),
                    Total = parsed.GetValue(total),
                    Rate = parsed.GetValue(rate),
                    Seed = parsed.GetValue(seed),
                    Out = parsed.GetValue(output),
                    InvalidShare = parsed.GetValue(invalid),
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

    private static Uri? Address(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && (url.Scheme is "http" or "https"))
            return url;
        result.AddError($"--url must be an address such as http://localhost:8080, not '{result.Tokens[0].Value}'.");
        return null;
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace PaymentPlatform.Standalone.Run;

/// <summary><c>run</c>: reads and checks its options.</summary>
internal static class RunCommand
{
    private static readonly string ServiceNames = string.Join(',', Enum.GetNames<PlatformService>()).ToLowerInvariant();

    public static Command Create()
    {
        var port = new Option<int?>("--port") { Description = $"The HTTP port on 127.0.0.1; 0 takes a free one, as a process does that joins with archiver or metrics alone. [default: {RunOptions.DefaultPort}]", HelpName = "N" };
        port.Validators.Add(result => Check(result, text => int.TryParse(text, CultureInfo.InvariantCulture, out var n) && n is >= 0 and <= 65535, "a port from 0 to 65535"));
        var data = new Option<string?>("--data") { Description = $"The data folder, made when missing; with --connections only for the log. [default: {RunOptions.DefaultData}]", HelpName = "DIR" };
        data.Validators.Add(result => Check(result, text => !string.IsNullOrWhiteSpace(text), "a folder"));
        var simulator = new Option<string?>("--simulator") { Description = "Made-up traffic: off, or events a second. [default: 20, off with --connections]", HelpName = "off|RATE" };
        simulator.Validators.Add(result => Check(result, text => text == "off" || TryRate(text, out _), "'off' or a rate in events a second, above 0 and at most 1000000"));
        var services = new Option<string?>("--services") { Description = $"What this process takes on, separated by commas. [default: {ServiceNames}]", HelpName = "LIST" };
        services.Validators.Add(result => Check(result, text => TryServices(text, out _), $"names out of {ServiceNames}, separated by commas"));
        var connections = new Option<string?>("--connections") { Description = "Join the platform that wrote this connections.json, and start no servers.", HelpName = "FILE" };
        var overrides = Overrides();

        var command = new Command("run", "Run the platform without containers: PostgreSQL, Azurite and the services in one process. Ctrl+C stops it.") { port, data, simulator, services, connections, overrides };
        command.Validators.Add(result =>
        {
            if (result.GetResult(services) is { Tokens: [var list] } && TryServices(list.Value, out var chosen) && !chosen.Contains(PlatformService.Simulator)
                && result.GetResult(simulator) is { Tokens: [var rate] } && rate.Value != "off")
                result.AddError("--simulator has a rate, but --services leaves the simulator out.");
        });
        command.SetAction(async (parsed, _) => await PlatformRun.RunAsync(Bind(
            parsed.GetValue(port), parsed.GetValue(data), parsed.GetValue(simulator), parsed.GetValue(services), parsed.GetValue(connections), parsed.GetValue(overrides) ?? [])));
        return command;
    }

    /// <summary>Configuration on the command line.</summary>
    public static Argument<string[]> Overrides()
    {
        var overrides = new Argument<string[]>("overrides") { Description = "Configuration, after '--': --Section:Key=value", Arity = ArgumentArity.ZeroOrMore };
        overrides.Validators.Add(CheckOverrides);
        return overrides;
    }

    private static RunOptions Bind(int? port, string? data, string? simulator, string? services, string? connections, string[] overrides)
    {
        HashSet<PlatformService> chosen;
        if (services is not null)
            TryServices(services, out chosen);
        else
            chosen = [.. Enum.GetValues<PlatformService>()];
        double? rate = simulator is not null && TryRate(simulator, out var given) ? given : null;
        // A process that joins adds hands, not traffic, unless it is told to.
        if (simulator == "off" || (connections is not null && services is null && rate is null))
            chosen.Remove(PlatformService.Simulator);
        return new() { Port = port, Data = data, Services = chosen, SimulatorRate = rate, Connections = connections, Overrides = overrides };
    }

    private static bool TryRate(string text, out double rate) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out rate) && rate is > 0 and <= 1_000_000;

    private static bool TryServices(string text, out HashSet<PlatformService> services)
    {
        services = [];
        foreach (var name in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (name.Length == 0 || !char.IsAsciiLetter(name[0]) || !Enum.TryParse<PlatformService>(name, ignoreCase: true, out var service))
                return false;
            services.Add(service);
        }

        return true;
    }

    private static void Check(OptionResult result, Func<string, bool> isGood, string expected)
    {
        if (result.Tokens is [var token] && !isGood(token.Value))
            result.AddError($"{result.Option.Name} must be {expected}, not '{token.Value}'.");
    }

    private static void CheckOverrides(ArgumentResult result)
    {
        foreach (var token in result.Tokens)
        {
            var separator = token.Value.IndexOf('=');
            if (!token.Value.StartsWith("--", StringComparison.Ordinal) || separator < 0 || !token.Value.AsSpan(0, separator).Contains(':'))
            {
                result.AddError($"Unrecognized command or argument '{token.Value}'.");
                return;
            }

            if (OptionNames.FindFault(token.Value[2..separator]) is { } fault)
            {
                result.AddError(fault);
                return;
            }
        }
    }
}

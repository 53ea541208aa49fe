using System.CommandLine;
using System.CommandLine.Parsing;
using PaymentPlatform.Query;
using PaymentPlatform.Query.Reconciliation;
using PaymentPlatform.Standalone.Run;

namespace PaymentPlatform.Standalone.Reconcile;

/// <summary><c>reconcile</c>: reads and checks its options.</summary>
internal static class ReconcileCommand
{
    private const string Listing = "listing", Full = "full";

    public static Command Create()
    {
        var data = new Option<string?>("--data") { Description = $"The data folder; a platform that runs on it is joined, else its servers are started meanwhile. [default: {RunOptions.DefaultData}]", HelpName = "DIR" };
        data.Validators.Add(result => Check(result, text => !string.IsNullOrWhiteSpace(text), "a folder"));
        var connections = new Option<string?>("--connections") { Description = "The connections.json of a running platform, or one with the paymentsdb and blobs of any other.", HelpName = "FILE" };
        var repair = new Option<bool>("--repair") { Description = "Write missing and damaged files again from the stream, as long as it has their events, and check again." };
        var from = new Option<string?>("--from") { Description = "Compare figures from this transaction time on, and dead letters from this arrival on, in whole windows. [default: 24 h before --to]", HelpName = "TIME" };
        var to = new Option<string?>("--to") { Description = "Up to this time. [default: now]", HelpName = "TIME" };
        foreach (var time in (ReadOnlySpan<Option<string?>>)[from, to])
            time.Validators.Add(result => Check(result, text => Timestamps.TryParse(text, out _), "a time such as 2026-01-31T08:00:00Z"));
        var depth = new Option<string>("--depth") { Description = $"{Listing}: names and sizes of the blobs; {Full}: their bytes too (with --from or --to those of files of the range).", HelpName = $"{Listing}|{Full}", DefaultValueFactory = _ => Full };
        depth.Validators.Add(result => Check(result, text => text is Listing or Full, $"{Listing} or {Full}"));
        var json = new Option<bool>("--json") { Description = "The report as JSON on stdout, as GET /v1/archive/reconciliation answers it, and nothing else there." };
        var overrides = RunCommand.Overrides();

        var command = new Command("reconcile", "Compare manifest, blobs, checkpoints, figures and dead letters. Exit code 0: all agrees; 1: it does not, with a list, or it could not be compared; 2: a wrong option.")
        {
            data, connections, repair, from, to, depth, json, overrides,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(data) is { Implicit: false } && result.GetResult(connections) is { Implicit: false })
                result.AddError("--data and --connections name two platforms: give one of them.");
            if (Time(result, from) > Time(result, to))
                result.AddError("--from is after --to.");
        });
        command.SetAction(async (parsed, _) => await ReconcileRun.RunAsync(new()
        {
            Data = parsed.GetValue(data),
            Connections = parsed.GetValue(connections),
            Repair = parsed.GetValue(repair),
            From = Micros(parsed.GetValue(from)),
            To = Micros(parsed.GetValue(to)),
            Depth = parsed.GetValue(depth) == Full ? ReconciliationDepth.Full : ReconciliationDepth.Listing,
            Json = parsed.GetValue(json),
            Overrides = parsed.GetValue(overrides) ?? [],
        }));
        return command;
    }

    private static long? Time(CommandResult result, Option<string?> option) => result.GetResult(option) is { Tokens: [var token] } ? Micros(token.Value) : null;

    private static long? Micros(string? text) => text is not null && Timestamps.TryParse(text, out var micros) ? micros : null;

    private static void Check(OptionResult result, Func<string, bool> isGood, string expected)
    {
        if (result.Tokens is [var token] && !isGood(token.Value))
            result.AddError($"{result.Option.Name} must be {expected}, not '{token.Value}'.");
    }
}

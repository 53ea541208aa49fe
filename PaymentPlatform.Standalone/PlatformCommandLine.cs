using System.CommandLine;
using System.CommandLine.Help;
using PaymentPlatform.Standalone.Reconcile;
using PaymentPlatform.Standalone.Run;
using PaymentPlatform.Standalone.Testing;

namespace PaymentPlatform.Standalone;

/// <summary>The one door: a subcommand a line. Exit codes: 0 done, 1 a fault, 2 a wrong command or configuration.</summary>
public static class PlatformCommandLine
{
    public const int Fault = 1;
    public const int WrongUsage = 2;

    public static async Task<int> InvokeAsync(string[] args)
    {
        if (args is [var name, .. var rest] && OtherProgram.All.FirstOrDefault(p => p.Name == name) is { } program)
            return await program.RunAsync(rest);

        // Not a RootCommand: that would be named after this assembly, and people call ./platform.
        var root = new Command("./platform", "PaymentPlatform: takes payment events, keeps them as Parquet, shows live figures and answers questions.")
        {
            RunCommand.Create(),
            TestCommand.Create(),
            SimulateCommandLine.Create(),
            ReconcileCommand.Create(),
            new HelpOption(),
            new VersionOption(),
        };
        foreach (var other in OtherProgram.All)
            root.Subcommands.Add(other.Describe());
        // A file name with an @ in front is a file name.
        var parsed = root.Parse(args.Length == 0 ? ["--help"] : args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            var command = parsed.CommandResult.Command == root ? "" : " " + parsed.CommandResult.Command.Name;
            // An unknown subcommand is also a missing one; the name is what helps.
            var error = parsed.Errors.FirstOrDefault(e => e.Message.Contains('\'')) ?? parsed.Errors[0];
            await Console.Error.WriteLineAsync($"{OneLine.Of(error.Message)} See: ./platform{command} --help");
            return WrongUsage;
        }

        var exitCode = await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        return args.Length == 0 ? WrongUsage : exitCode;
    }
}

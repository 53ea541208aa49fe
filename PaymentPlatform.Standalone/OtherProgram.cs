using System.CommandLine;
using System.Diagnostics;

namespace PaymentPlatform.Standalone;

/// <summary>A subcommand that is a program of its own, with the rest of the arguments as they are, <c>--help</c> included.</summary>
/// <param name="name">The subcommand's.</param>
/// <param name="project">Whose program it is.</param>
internal sealed class OtherProgram(string name, string project, string description)
{
    public static readonly IReadOnlyList<OtherProgram> All =
    [
        new("bench", "PaymentPlatform.Bench", "Run the benchmarks (./platform bench --help)."),
        new("faults", "PaymentPlatform.Faults", "Run the fault harness (./platform faults --help)."),
    ];

    public string Name => name;

    /// <summary>For the list of commands only: the arguments go through unparsed.</summary>
    public Command Describe() => new(name, description);

    public async Task<int> RunAsync(string[] arguments)
    {
        var assembly = Artifacts.Assembly(project);
        if (!File.Exists(assembly))
        {
            await Console.Error.WriteLineAsync($"{project} is not built ({assembly}): run ./platform {name}, which builds it.");
            return PlatformCommandLine.Fault;
        }

        using var process = Process.Start(new ProcessStartInfo(Artifacts.DotNet, [assembly, .. arguments]))!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}

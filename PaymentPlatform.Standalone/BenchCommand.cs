using System.CommandLine;
using System.Diagnostics;

namespace PaymentPlatform.Standalone;

/// <summary><c>bench</c>: the benchmarks' own program with the rest of the arguments.</summary>
internal static class BenchCommand
{
    public const string Name = "bench";

    /// <summary>For the list of commands only: the arguments go through unparsed.</summary>
    public static Command Create() => new(Name, "Run the benchmarks (./platform bench --help).");

    public static async Task<int> RunAsync(string[] arguments)
    {
        const string program = "PaymentPlatform.Bench";
        var assembly = Artifacts.Assembly(program);
        if (!File.Exists(assembly))
        {
            await Console.Error.WriteLineAsync($"{program} is not built ({assembly}): run ./platform bench, which builds it.");
            return PlatformCommandLine.Fault;
        }

        using var process = Process.Start(new ProcessStartInfo(Artifacts.DotNet, [assembly, .. arguments]))!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}

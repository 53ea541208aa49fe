using System.ComponentModel;
using System.Diagnostics;

namespace PaymentPlatform.LocalInfrastructure;

/// <summary>Runs a short-lived program and keeps what it says.</summary>
internal static class ToolProcess
{
    public static async Task<ToolResult> RunAsync(string file, IEnumerable<string> arguments, string? directory, string? input, CancellationToken cancellationToken)
    {
        using var process = Start(file, arguments, directory);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            if (input is not null)
                await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellationToken);
            return new(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>All three streams are pipes.</summary>
    /// <exception cref="ToolMissingException">There is no such program.</exception>
    public static Process Start(string file, IEnumerable<string> arguments, string? directory)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = directory ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
        };
        try
        {
            return Process.Start(start) ?? throw new ToolMissingException(file, null);
        }
        catch (Win32Exception exception)
        {
            throw new ToolMissingException(file, exception);
        }
    }
}

internal sealed class ToolMissingException(string tool, Exception? inner) : Exception($"The program '{tool}' can't be started.", inner);

internal readonly record struct ToolResult(int ExitCode, string Output, string Errors)
{
    public string LastLine => Lines(Errors).LastOrDefault() ?? Lines(Output).LastOrDefault() ?? "";

    /// <summary>The first lines of npm's complaint that say something, joined.</summary>
    public string NpmError
    {
        get
        {
            var said = Lines(Errors)
                .Where(l => l.StartsWith("npm error", StringComparison.Ordinal) && !l.Contains("A complete log of this run") && !l.Contains("stack "))
                .Select(l => l["npm error".Length..].Trim())
                .Where(l => l.Length > 0)
                .Take(3)
                .ToArray();
            return said.Length > 0 ? string.Join("; ", said) : LastLine;
        }
    }

    private static IEnumerable<string> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

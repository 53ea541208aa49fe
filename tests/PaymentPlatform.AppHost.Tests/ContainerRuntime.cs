using System.ComponentModel;
using System.Diagnostics;

namespace PaymentPlatform.AppHost.Tests;

/// <summary>Docker or Podman, whichever Aspire is told to use.</summary>
internal static class ContainerRuntime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static string Program => Environment.GetEnvironmentVariable("ASPIRE_CONTAINER_RUNTIME") is { Length: > 0 } chosen ? chosen : "docker";

    /// <returns>Null when containers can be started, else one line that says what is missing.</returns>
    public static async Task<string?> FindProblemAsync()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(Program, "info") { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            using var patience = new CancellationTokenSource(s_patience);
            await process.WaitForExitAsync(patience.Token);
            await Task.WhenAll(output, error);
            return process.ExitCode == 0 ? null : $"The AppHost tests need containers, and '{Program} info' fails: {FirstLine(await error)}";
        }
        catch (Win32Exception)
        {
            return $"The AppHost tests need containers, and there is no '{Program}' on the PATH: install Docker, or set ASPIRE_CONTAINER_RUNTIME=podman.";
        }
        catch (OperationCanceledException)
        {
            return $"The AppHost tests need containers, and '{Program} info' gave no answer in {s_patience.TotalSeconds:0} s.";
        }
    }

    private static string FirstLine(string text) => text.Split('\n').FirstOrDefault(line => line.Trim().Length > 0)?.Trim() ?? "no reason given";
}

using System.Diagnostics;
using System.Text.Json;

namespace PaymentPlatform.Standalone.Testing;

/// <summary>Runs one xunit v3 program; its output goes to our console as it comes.</summary>
internal static class TestProgram
{
    public static async Task<TestCounts> RunAsync(string program, string[] filters, CancellationToken cancellationToken)
    {
        var resultFile = Path.Combine(Path.GetTempPath(), $"payment-platform-test-{Guid.NewGuid():N}.json");
        try
        {
            string[] arguments = [program, "-noLogo", "-noColor", "-result-ctrf", resultFile, .. filters.SelectMany(f => (string[])["-method", $"*{f.Trim('*')}*"])];
            using var process = Process.Start(new ProcessStartInfo(Artifacts.DotNet, arguments))!;
            try
            {
                await process.WaitForExitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }

            var counts = File.Exists(resultFile) ? TestCounts.FromCtrf(await File.ReadAllBytesAsync(resultFile, cancellationToken)) : TestCounts.None;
            return process.ExitCode == 0 || counts.Failed > 0
                ? counts
                : counts + TestCounts.Crash($"{Path.GetFileName(program)} ended with exit code {process.ExitCode} and reported no failed test: it crashed.");
        }
        catch (JsonException exception)
        {
            return TestCounts.Crash($"{Path.GetFileName(program)} crashed while it wrote its results: {exception.Message}");
        }
        finally
        {
            File.Delete(resultFile);
        }
    }
}

using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PaymentPlatform.LocalInfrastructure;

/// <summary>A server of an earlier start that is still there, or still stopping, after its starter was killed.</summary>
internal static partial class LeftoverProcess
{
    public const int Interrupt = 2;
    public const int Terminate = 15;
    private const int Kill = 9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Ends the process that <paramref name="pidFile"/> names in its first line, if its command line holds <paramref name="commandPart"/>
    /// (the number may have gone to another program since), and removes the file.
    /// </summary>
    public static async Task StopAsync(string name, string pidFile, string commandPart, int signal, CancellationToken cancellationToken)
    {
        if (!TryReadPid(pidFile, out var pid))
            return;
        var clock = Stopwatch.StartNew();
        var asked = false;
        while (await IsRunningAsync(pid, commandPart, cancellationToken))
        {
            if (!asked)
                Send(pid, signal);
            asked = true;
            if (clock.Elapsed > Patience)
            {
                Send(pid, Kill);
                if (clock.Elapsed > Patience + TimeSpan.FromSeconds(10))
                    throw new LocalPlatformException($"An earlier {name} (process {pid}) still uses {Path.GetDirectoryName(pidFile)} and does not stop. End it and start again.");
            }

            await Task.Delay(50, cancellationToken);
        }

        File.Delete(pidFile);
    }

    private static bool TryReadPid(string pidFile, out int pid)
    {
        pid = 0;
        try
        {
            using var stream = new FileStream(pidFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream);
            return int.TryParse(reader.ReadLine(), out pid) && pid > 1;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private static async Task<bool> IsRunningAsync(int pid, string commandPart, CancellationToken cancellationToken)
    {
        // A dead process that nobody waits for has an empty command line.
        if (OperatingSystem.IsLinux())
        {
            try
            {
                return (await File.ReadAllTextAsync($"/proc/{pid}/cmdline", cancellationToken)).Contains(commandPart);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }

        if (OperatingSystem.IsMacOS())
            return (await ToolProcess.RunAsync("ps", ["-o", "command=", "-p", pid.ToString()], null, null, cancellationToken)).Output.Contains(commandPart);
        try
        {
            using var process = Process.GetProcessById(pid);
            return process.ProcessName is "node" or "postgres";
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void Send(int pid, int signal)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SendSignal(pid, signal);
            return;
        }

        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill(entireProcessTree: true);
        }
        catch (Exception exception) when (exception is ArgumentException or Win32Exception or InvalidOperationException)
        {
            // It has gone already.
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);
}

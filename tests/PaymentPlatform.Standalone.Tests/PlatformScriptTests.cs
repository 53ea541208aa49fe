using System.Collections.Concurrent;
using System.Diagnostics;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>The script <c>platform</c> of the repository, in a folder like it, with a <c>dotnet</c> that builds nothing.</summary>
public sealed class PlatformScriptTests : IDisposable
{
    private static readonly string s_script = Path.Combine(AppContext.BaseDirectory, "platform");

    private readonly TemporaryDirectory _home = new();
    private readonly List<Script> _scripts = [];

    public PlatformScriptTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The script needs flock to let one build wait for another.");
        foreach (var folder in (string[])["bin", "services"])
            Directory.CreateDirectory(_home.Sub(folder));
        // What the script looks up names and usages in.
        var scripted = Path.Combine(AppContext.BaseDirectory, "scripted");
        foreach (var file in Directory.EnumerateFiles(scripted, "*.cs", SearchOption.AllDirectories))
        {
            var copy = _home.Sub(Path.GetRelativePath(scripted, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        foreach (var file in (string[])["Directory.Build.props", "global.json"])
            File.WriteAllText(_home.Sub(file), "");
        File.Copy(s_script, _home.Sub("platform"));
        // A build lasts until the file "go" is there.
        File.WriteAllText(_home.Sub("bin", "dotnet"), $"""
            #!/bin/sh
            [ "$1" = build ] || exit 0
            echo "$2" >> '{_home.Path}/builds'
            while [ ! -f '{_home.Path}/go' ]; do sleep 0.05; done
            """);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_home.Sub("bin", "dotnet"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    public void Dispose()
    {
        foreach (var script in _scripts)
            script.Dispose();
        _home.Dispose();
    }

    [Fact]
    public async Task Run_AnotherBuilds_SaysThatItWaitsAndBuildsNothing()
    {
        var first = Start("run");
        await Eventually.TrueAsync(() => Builds().Length == 1, "the first builds");
        var second = Start("run");
        await Eventually.TrueAsync(() => !second.Lines.IsEmpty, "the second says something");

        File.WriteAllText(_home.Sub("go"), "");

        Assert.Equal((0, 0), (await first.EndAsync(), await second.EndAsync()));
        Assert.Equal("Waiting for another ./platform, which is building…", Assert.Single(second.Lines));
        Assert.Single(Builds());
    }

    [Fact]
    public async Task Run_BuiltAlready_WaitsForNobody()
    {
        File.WriteAllText(_home.Sub("go"), "");
        Assert.Equal(0, await Start("run").EndAsync());
        File.Delete(_home.Sub("go"));
        var tests = Start("test");
        await Eventually.TrueAsync(() => Builds().Length == 2, "the tests are built");

        var run = Start("run");
        Assert.Equal(0, await run.EndAsync());

        Assert.Empty(run.Lines);
        File.WriteAllText(_home.Sub("go"), "");
        Assert.Equal(0, await tests.EndAsync());
    }

    [Theory]
    [InlineData("parse", 0)]
    [InlineData("all", 0)]
    [InlineData("pars", 2)]
    public async Task Bench_UnknownName_IsRefusedBeforeAnythingIsBuilt(string name, int exitCode)
    {
        File.WriteAllText(_home.Sub("go"), "");
        var bench = Start("bench", name);

        Assert.Equal(exitCode, await bench.EndAsync());

        Assert.Equal(exitCode == 0 ? 1 : 0, Builds().Length);
        if (exitCode != 0)
            Assert.Matches("^There is no benchmark 'pars'. Choose one of: all archive .* parse ", Assert.Single(bench.Lines));
    }

    [Theory]
    [InlineData("bench --help", 0, "^bench all.archive.* .--json FILE. ")]
    [InlineData("bench metrics --help", 0, "^bench all.archive.* .--json FILE. ")]
    [InlineData("test --help", 0, "^test .filter…. *Run the tests, .*contains this")]
    [InlineData("test Replay -h", 0, "^test .filter…. *Run the tests, .*contains this")]
    [InlineData("faults --help", 0, "^faults .--runs N. .*.--keep.$")]
    [InlineData("faults --runs 3 -h", 0, "^faults .--runs N. .*.--keep.$")]
    [InlineData("faults wrongname", 2, "^There is no option 'wrongname'. faults .--runs N. ")]
    [InlineData("faults --keep --seeds 3", 2, "^There is no option '--seeds'. faults .--runs N. ")]
    public async Task AnyCommand_HelpOrUnknownName_AnswersBeforeAnythingIsBuilt(string commandLine, int exitCode, string expected)
    {
        File.WriteAllText(_home.Sub("go"), "");
        var script = Start(commandLine.Split(' '));

        Assert.Equal(exitCode, await script.EndAsync());

        Assert.Empty(Builds());
        Assert.Matches(expected, Assert.Single(exitCode == 0 ? script.Output : script.Lines));
        Assert.Empty(exitCode == 0 ? script.Lines : script.Output);
    }

    [Theory]
    [InlineData("faults --runs 3 --keep --mode both")]
    [InlineData("test Replay")]
    [InlineData("bench parse --json rows.json")]
    public async Task AnyCommand_Known_IsBuiltAndRun(string commandLine)
    {
        File.WriteAllText(_home.Sub("go"), "");

        Assert.Equal(0, await Start(commandLine.Split(' ')).EndAsync());

        Assert.Single(Builds());
    }

    private Script Start(params string[] arguments)
    {
        var script = new Script(_home, arguments);
        _scripts.Add(script);
        return script;
    }

    private string[] Builds() => File.Exists(_home.Sub("builds")) ? File.ReadAllLines(_home.Sub("builds")) : [];

    private sealed class Script : IDisposable
    {
        private readonly Process _process;

        public Script(TemporaryDirectory home, string[] arguments)
        {
            var start = new ProcessStartInfo("/bin/sh", [home.Sub("platform"), .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
            start.Environment["PATH"] = $"{home.Sub("bin")}:{Environment.GetEnvironmentVariable("PATH")}";
            start.Environment.Remove("ArtifactsPath");
            _process = Process.Start(start)!;
            _process.ErrorDataReceived += (_, line) =>
            {
                if (line.Data is not null)
                    Lines.Enqueue(line.Data);
            };
            _process.OutputDataReceived += (_, line) =>
            {
                if (line.Data is not null)
                    Output.Enqueue(line.Data);
            };
            _process.BeginErrorReadLine();
            _process.BeginOutputReadLine();
        }

        /// <summary>Of stderr, so far.</summary>
        public ConcurrentQueue<string> Lines { get; } = [];

        /// <summary>Of stdout, so far.</summary>
        public ConcurrentQueue<string> Output { get; } = [];

        public async Task<int> EndAsync()
        {
            await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(1));
            return _process.ExitCode;
        }

        public void Dispose()
        {
            _process.Kill(entireProcessTree: true);
            _process.Dispose();
        }
    }
}

namespace PaymentPlatform.Standalone.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("unknown", "'unknown'")]
    [InlineData("--wrong", "'--wrong'")]
    [InlineData("run --wrong", "'--wrong'")]
    [InlineData("run extra", "'extra'")]
    [InlineData("run --port x", "--port")]
    [InlineData("run --port 65536", "--port")]
    [InlineData("run --simulator fast", "--simulator")]
    [InlineData("run --simulator 0", "--simulator")]
    [InlineData("run --simulator -5", "--simulator")]
    [InlineData("run --services ingest,cashier", "--services")]
    [InlineData("run --services 1", "--services")]
    [InlineData("run --services metrics --simulator 20", "--simulator")]
    [InlineData("run --port", "--port")]
    [InlineData("run --connections ./no/such/connections.json", "connections.json")]
    [InlineData("run -- --Quer:SqlRows=1", "There is no section 'Quer' for '--Quer:SqlRows'. Known: Access, Archiver, Aspire, ")]
    [InlineData("run -- --Streaming:Partitions=1 --Archive:FlushAge=00:00:10", "'Archive'")]
    [InlineData("reconcile -- --Quer:SqlRows=1", "'Quer'")]
    [InlineData("test --wrong", "'--wrong'")]
    [InlineData("reconcile --wrong", "'--wrong'")]
    [InlineData("reconcile --from yesterday", "--from")]
    [InlineData("reconcile --from 2026-01-02 --to 2026-01-01", "--from is after --to")]
    [InlineData("reconcile --depth deep", "--depth")]
    [InlineData("reconcile --data a --connections b", "--connections")]
    [InlineData("reconcile --connections ./no/such/connections.json", "connections.json")]
    [InlineData("reconcile --data ./no/such/folder", "no/such/folder")]
    [InlineData("simulate --target pigeon", "one of")]
    [InlineData("simulate --url nowhere", "--url")]
    [InlineData("simulate --start yesterday", "--start")]
    [InlineData("simulate --duration long", "--duration")]
    [InlineData("simulate --rate -1", "--rate")]
    [InlineData("simulate --seed x", "--seed")]
    [InlineData("simulate --config ./no/such/simulator.yaml", "--config ./no/such/simulator.yaml")]
    [InlineData("simulate --target stdout --total 1 --truth ./no/such/truth", "--truth ./no/such/truth")]
    public async Task Invoke_WrongUsage_OneLineAndExitCode2(string commandLine, string named)
    {
        var command = await PlatformCommand.RunAsync(commandLine.Split(' '));

        Assert.Equal(2, command.ExitCode);
        Assert.Contains(named, Assert.Single(command.ErrorLines));
        Assert.Equal("", command.Output);
    }

    [Theory]
    [InlineData("--help", "./platform")]
    [InlineData("run --help", "--services")]
    [InlineData("test --help", "filter")]
    [InlineData("reconcile --help", "--repair")]
    [InlineData("simulate --help", "--truth")]
    [InlineData("--help", "faults")]
    public async Task Invoke_Help_ListsTheOptions(string commandLine, string listed)
    {
        var command = await PlatformCommand.RunAsync(commandLine.Split(' '));

        Assert.Equal(0, command.ExitCode);
        Assert.Contains(listed, command.Output);
        Assert.Empty(command.ErrorLines);
    }

    [Theory]
    [InlineData("--Storage:MaxPoolSize=0", "Storage:MaxPoolSize")]
    [InlineData("--Storage:MaxPoolSize=many", "Storage:MaxPoolSize is 'many': expected a whole number.")]
    [InlineData("--Archiver:PendingTimeout=00:00:05", "Archiver:PendingTimeout (00:00:05) must be")]
    [InlineData("--Streaming:Transport=Pigeon", "Streaming:Transport is 'Pigeon': choose one of Postgres, ")]
    [InlineData("--Logging:LogLevel:Default=Debugg", "Logging:LogLevel has the value 'Debugg': expected one of Trace, Debug,")]
    [InlineData("--Archiver:FlushAge=soon", "Archiver:FlushAge is 'soon': expected a length of time such as 00:00:30")]
    [InlineData("--Archiver:FlushAge=10", "Archiver:FlushAge must be between 00:00:00.0500000 and 01:00:00. It is '10', read as 10.00:00:00: a length of time is [days.]hours:minutes:seconds.")]
    [InlineData("--Archiver:FlushAgee=1", "no option Archiver:FlushAgee:")]
    [InlineData("--simulator:rat=1", "no option Simulator:rat:")]
    [InlineData("--Streaming:Kafka:Linger=1", "no option Streaming:Kafka:Linger:")]
    public async Task Run_WrongConfiguration_OneLineBeforeAnythingStarts(string setting, string named)
    {
        using var data = new TemporaryDirectory();

        var command = await PlatformCommand.RunAsync(["run", "--data", data.Path, "--port", "0", "--", setting]);

        Assert.Equal(2, command.ExitCode);
        Assert.Contains(named, Assert.Single(command.ErrorLines));
        Assert.Empty(Directory.EnumerateFileSystemEntries(data.Path));
    }

    [Fact]
    public async Task Run_WrongConfiguration_LeavesNoDataFolder()
    {
        using var data = new TemporaryDirectory();

        var command = await PlatformCommand.RunAsync(["run", "--data", data.Sub("new"), "--port", "0", "--", "--Archiver:FlushAge=10"]);

        Assert.Equal(2, command.ExitCode);
        Assert.False(Directory.Exists(data.Sub("new")));
    }

    /// <summary>Some messages name their option themselves.</summary>
    [Fact]
    public async Task Run_WrongOption_IsNamedOnce()
    {
        using var data = new TemporaryDirectory();

        var command = await PlatformCommand.RunAsync(["run", "--data", data.Path, "--port", "0", "--", "--Query:CacheBytes=1"]);

        Assert.Equal("Query:CacheBytes must be between 67108864 (64 MiB, a full archive file) and 16 TiB, in bytes. It is '1'.", Assert.Single(command.ErrorLines));
    }
}

using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace PaymentPlatform.Standalone.Tests;

public sealed class StartUpTests
{
    [Fact]
    public async Task Run_PortInUse_OneLineThatNamesIt()
    {
        using var data = new TemporaryDirectory();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var command = await PlatformCommand.RunAsync(["run", "--data", data.Path, "--port", $"{port}"]);

        Assert.Equal(1, command.ExitCode);
        var line = Assert.Single(command.ErrorLines);
        Assert.Contains($"Port {port} is in use by another program", line);
        Assert.Contains("--port", line);
    }

    [Fact]
    public async Task Run_DataOfAnotherMajorVersion_OneLineAndDataUntouched()
    {
        using var data = new TemporaryDirectory();
        Directory.CreateDirectory(data.Sub("postgres", "data"));
        await File.WriteAllTextAsync(data.Sub("postgres", "data", "PG_VERSION"), "15\n", TestContext.Current.CancellationToken);

        var command = await PlatformCommand.RunAsync(["run", "--data", data.Path, "--port", "0"]);

        Assert.Equal(1, command.ExitCode);
        Assert.Contains("PostgreSQL 15", Assert.Single(command.ErrorLines));
        Assert.Equal("15\n", await File.ReadAllTextAsync(data.Sub("postgres", "data", "PG_VERSION"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Run_NoNode_OneLineThatSaysWhatToInstall()
    {
        using var data = new TemporaryDirectory();
        using var emptyPath = new TemporaryDirectory();
        if (Environment.ProcessPath is not { } host || Path.GetFileName(host) != "dotnet")
            Assert.Skip("dotnet itself is found by the PATH here.");

        var command = await PlatformCommand.RunAsync(["run", "--data", data.Path, "--port", "0"], new Dictionary<string, string> { ["PATH"] = emptyPath.Path });

        Assert.Equal(1, command.ExitCode);
        Assert.Contains("Node.js 20", Assert.Single(command.ErrorLines));
    }

    [Fact]
    public async Task Run_KilledAndStartedAgain_FindsItsDataAndStopsCleanly()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var data = new TemporaryDirectory();
        await using (var first = await PlatformProcess.RunAsync(data.Path, "--services query", cancellationToken: cancellation))
        {
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(first.ConnectionsFile));
            await ExecuteAsync((await first.ConnectionsAsync(cancellation)).Paymentsdb, "CREATE TABLE kept AS SELECT 42 AS answer");

            var second = await PlatformCommand.RunAsync(["run", "--data", data.Path, "--port", "0"]);
            Assert.Equal(1, second.ExitCode);
            Assert.Contains(data.Path, Assert.Single(second.ErrorLines));
            Assert.True(File.Exists(first.ConnectionsFile));
            var samePort = await PlatformCommand.RunAsync(["run", "--data", data.Path, "--port", $"{new Uri((await first.ConnectionsAsync(cancellation)).Http).Port}"]);
            Assert.Contains("another PaymentPlatform is running there", Assert.Single(samePort.ErrorLines));

            await first.KillAsync();
        }

        string database;
        await using (var again = await PlatformProcess.RunAsync(data.Path, "--services query", cancellationToken: cancellation))
        {
            database = (await again.ConnectionsAsync(cancellation)).Paymentsdb;
            Assert.Equal(42, await ExecuteAsync(database, "SELECT answer FROM kept"));

            Assert.Equal(0, await again.StopAsync(cancellation));
            Assert.False(File.Exists(again.ConnectionsFile));
        }

        // The servers went with it.
        await Assert.ThrowsAsync<NpgsqlException>(() => ExecuteAsync(database, "SELECT 1"));
    }

    [Fact]
    public async Task Run_JoinsAnother_UsesItsServersAndLeavesThemRunning()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var data = new TemporaryDirectory();
        using var joinedData = new TemporaryDirectory();
        await using var first = await PlatformProcess.RunAsync(data.Path, "--services query", cancellationToken: cancellation);

        await using var second = await PlatformProcess.RunAsync(joinedData.Path, $"--services query --connections {first.ConnectionsFile}", cancellationToken: cancellation);
        Assert.False(Directory.Exists(joinedData.Sub("postgres")));
        Assert.Equal(0, await second.StopAsync(cancellation));

        Assert.Equal(1, await ExecuteAsync((await first.ConnectionsAsync(cancellation)).Paymentsdb, "SELECT 1"));
    }

    private static async Task<object?> ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}

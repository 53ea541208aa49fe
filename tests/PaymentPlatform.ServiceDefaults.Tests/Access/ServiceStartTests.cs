using System.Diagnostics;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

/// <summary>The services as processes of their own.</summary>
public sealed class ServiceStartTests
{
    [Theory]
    [InlineData("Ingest")]
    [InlineData("BlobArchiver")]
    [InlineData("Metrics")]
    [InlineData("Query")]
    [InlineData("Simulator")]
    public async Task Start_InProductionWithoutCredentialSource_OneLineAndExitCode2(string service)
    {
        var line = await RefusalAsync(service, "--environment=Production", "--ConnectionStrings:paymentsdb=Host=127.0.0.1;Port=1", "--ConnectionStrings:blobs=UseDevelopmentStorage=true");
        Assert.Contains("Access:OperateKey", line);
    }

    [Theory]
    [InlineData("Ingest")]
    [InlineData("BlobArchiver")]
    [InlineData("Metrics")]
    [InlineData("Query")]
    [InlineData("Simulator")]
    public async Task Start_WithoutDatabase_OneLineAndExitCode2(string service)
    {
        var line = await RefusalAsync(service, "--environment=Development", "--ConnectionStrings:blobs=UseDevelopmentStorage=true");
        Assert.Contains("ConnectionStrings__paymentsdb", line);
    }

    /// <summary>The one line with which a service does not start.</summary>
    private static async Task<string> RefusalAsync(string service, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileName(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, $"PaymentPlatform.{service}.dll"), "--urls=http://127.0.0.1:0" },
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("Access__", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, process.ExitCode);
        Assert.DoesNotContain("Now listening", await output);
        return Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}

using System.Net;
using System.Text;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>Who may call `platform run`.</summary>
public sealed class AccessTests
{
    private const string Key = "0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("--Http:Address=0.0.0.0")]
    [InlineData("--Http:Address=::")]
    [InlineData("--Http:Address=192.0.2.1")]
    [InlineData("--Kestrel:Endpoints:Open:Url=http://*:0")]
    [InlineData("--Kestrel:Endpoints:Open:Url=http://0.0.0.0:0")]
    [InlineData("--Kestrel:Endpoints:Open:Url=https://payments.example:0")]
    public async Task Run_OtherMachinesLetInWithoutCredentials_OneLineBeforeAnythingStarts(string setting)
    {
        using var data = new TemporaryDirectory();

        // Not in Development either: that is a word in the environment, and the network is wide.
        var command = await PlatformCommand.RunAsync(["run", "--data", data.Path, "--port", "0", "--", setting], new Dictionary<string, string> { ["ASPNETCORE_ENVIRONMENT"] = "Development" });

        Assert.Equal(2, command.ExitCode);
        var line = Assert.Single(command.ErrorLines);
        Assert.StartsWith(setting[2..], line);
        Assert.Contains("Access:OperateKey", line);
        Assert.False(Directory.Exists(data.Sub("postgres")));
    }

    [Theory]
    [InlineData("--Http:Address=everywhere", "Http:Address is 'everywhere'")]
    [InlineData("--Access:OperateKey=short", "Access:OperateKey must be")]
    [InlineData("--Access:ApiKeys:shop:Roles=read", "Access:ApiKeys:shop:Hash")]
    public async Task Run_WrongAccessOption_OneLineBeforeAnythingStarts(string setting, string named)
    {
        using var data = new TemporaryDirectory();

        var command = await PlatformCommand.RunAsync(["run", "--data", data.Path, "--port", "0", "--", setting]);

        Assert.Equal(2, command.ExitCode);
        Assert.Contains(named, Assert.Single(command.ErrorLines));
        Assert.False(Directory.Exists(data.Sub("postgres")));
    }

    [Fact]
    public async Task Run_KeyConfigured_IsNeededOnAllAddresses()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var data = new TemporaryDirectory();
        await using var platform = await PlatformProcess.RunAsync(
            data.Path, "--services ingest,query -- --Http:Address=0.0.0.0", new Dictionary<string, string> { ["Access__OperateKey"] = Key }, cancellation);
        using var http = new HttpClient { BaseAddress = platform.Url };

        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("v1/pipeline", cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.PostAsync("v1/transactions", new StringContent("[]"), cancellation)).StatusCode);
        Assert.Equal($"http://127.0.0.1:{platform.Port}", (await platform.ConnectionsAsync(cancellation)).Http);

        var environment = new Dictionary<string, string> { ["Simulator__ApiKey"] = Key };
        string[] simulate = ["simulate", "--target", "http", "--url", platform.Url.ToString(), "--total", "20", "--rate", "0"];
        Assert.Contains("Simulator__ApiKey", Assert.Single((await PlatformCommand.RunAsync(simulate)).ErrorLines));
        Assert.Equal(0, (await PlatformCommand.RunAsync(simulate, environment)).ExitCode);

        http.DefaultRequestHeaders.Add("X-Api-Key", Key);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("v1/pipeline", cancellation)).StatusCode);
        Assert.DoesNotContain(Key, platform.Output);
        Assert.Equal(0, await platform.StopAsync(cancellation));
    }

    [Fact]
    public async Task Run_OpenOnLoopback_ServesThisMachineButNoForeignPage()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var data = new TemporaryDirectory();
        await using var platform = await PlatformProcess.RunAsync(data.Path, "--services ingest,query", cancellationToken: cancellation);
        using var http = new HttpClient { BaseAddress = platform.Url };

        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("v1/pipeline", cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync("Origin", "https://evil.example"));
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync("Host", "rebound.evil.example"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await PostAsync("Origin", platform.Url.GetLeftPart(UriPartial.Authority)));

        async Task<HttpStatusCode> PostAsync(string header, string value)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "v1/transactions") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
            Assert.True(request.Headers.TryAddWithoutValidation(header, value));
            using var answer = await http.SendAsync(request, cancellation);
            return answer.StatusCode;
        }
    }
}

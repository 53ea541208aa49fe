using System.Net;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

/// <summary>Where calls need no credential, and what a browser on the same machine could be made to do.</summary>
public sealed class OpenModeTests
{
    [Fact]
    public async Task Call_InDevelopment_NeedsNoCredential()
    {
        await using var host = await AccessHost.StartAsync([], "Development");

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read")).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Post, "/ingest")).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await host.SendAsync(HttpMethod.Post, "/operate/1")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await host.GetAsync("/nowhere")).Status);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "http://127.0.0.1:1")]
    [InlineData("Origin", "null")]
    public async Task Call_ByAForeignPage_403(string header, string value)
    {
        await using var host = await AccessHost.StartAsync([], "Development");

        foreach (var (method, path) in new[] { (HttpMethod.Post, "/ingest"), (HttpMethod.Post, "/operate/1"), (HttpMethod.Get, "/read") })
        {
            var answer = await host.SendAsync(method, path, (header, value));
            Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
            Assert.Equal("application/problem+json", answer.MediaType);
        }

        // A form is a navigation, too.
        Assert.Equal(HttpStatusCode.Forbidden, (await host.SendAsync(HttpMethod.Post, "/ingest", (header, value), ("Sec-Fetch-Mode", "navigate"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/health", (header, value))).Status);
    }

    [Fact]
    public async Task Call_ByAForeignPageWithACredential_403()
    {
        var key = Key.New();
        await using var host = await AccessHost.StartAsync(new() { ["Access:OperateKey"] = key });

        Assert.Equal(HttpStatusCode.Forbidden, (await host.SendAsync(HttpMethod.Post, "/operate/1", ("X-Api-Key", key), ("Sec-Fetch-Site", "cross-site"))).Status);
        Assert.DoesNotContain(host.Logs.Lines, line => line.Text.Contains("answered 202", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_ByOurPageOrALink_IsServed()
    {
        await using var host = await AccessHost.StartAsync([], "Development");
        var own = host.Client.BaseAddress!.GetLeftPart(UriPartial.Authority);

        Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Post, "/ingest", ("Origin", own))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Post, "/ingest", ("Origin", own), ("Sec-Fetch-Site", "same-origin"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read", ("Sec-Fetch-Site", "none"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/", ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"))).Status);
    }

    [Theory]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("query.dev.localhost:8080", HttpStatusCode.OK)]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("[::1]:8080", HttpStatusCode.OK)]
    [InlineData("my-box:8080", HttpStatusCode.OK)]
    [InlineData("rebound.evil.example", HttpStatusCode.Forbidden)]
    [InlineData("localhost.evil.example", HttpStatusCode.Forbidden)]
    [InlineData("evil-localhost", HttpStatusCode.Forbidden)]
    public async Task Call_ByHostName_OnlyThisMachinesOwn(string name, HttpStatusCode expected)
    {
        await using var host = await AccessHost.StartAsync(new() { ["Access:Hosts"] = "my-box" }, "Development");

        Assert.Equal(expected, (await host.GetAsync("/read", ("Host", name))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/alive", ("Host", name))).Status);
    }

    [Fact]
    public async Task Call_WithCredentialByAnyHostName_IsServed()
    {
        var key = Key.New();
        await using var host = await AccessHost.StartAsync(new() { ["Access:OperateKey"] = key });

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read", ("Host", "payments.example"), ("X-Api-Key", key))).Status);
    }
}

using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Testing;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

/// <summary>Tokens of a provider whose issuer and keys are fetched from its metadata.</summary>
public sealed class DiscoveryTests
{
    [Fact]
    public async Task Call_KeysOfTheProvider_AreFetched()
    {
        using var issuer = new TokenIssuer();
        await using var provider = await IdentityServer.StartAsync();
        provider.Jwks = issuer.Jwks;
        await using var host = await AccessHost.StartAsync(provider.Settings);

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read", Bearer(issuer.Create("read")))).Status);
        foreach (var (kind, token) in issuer.BadTokens("read"))
            Assert.True((await host.GetAsync("/read", Bearer(token))).Status == HttpStatusCode.Unauthorized, kind);
    }

    [Fact]
    public async Task Call_ProviderChangesItsKey_TheNewOneIsTaken()
    {
        using var issuer = new TokenIssuer();
        using var next = new TokenIssuer();
        await using var provider = await IdentityServer.StartAsync();
        provider.Jwks = issuer.Jwks;
        await using var host = await AccessHost.StartAsync(provider.Settings);
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read", Bearer(issuer.Create("read")))).Status);

        provider.Jwks = next.Jwks;

        await Eventually.TrueAsync(async () => (await host.GetAsync("/read", Bearer(next.Create("read")))).Status == HttpStatusCode.OK, "the new key is taken");
    }

    [Fact]
    public async Task Call_ProviderIsDown_503UntilItIsBack()
    {
        using var issuer = new TokenIssuer();
        var key = Key.New();
        var time = new FakeTimeProvider();
        await using var provider = await IdentityServer.StartAsync();
        provider.Jwks = issuer.Jwks;
        provider.IsDown = true;
        await using var host = await AccessHost.StartAsync(
            new(provider.Settings.Append(new("Access:OperateKey", key))), register: builder => builder.Services.AddSingleton<TimeProvider>(time));

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => host.GetAsync("/read", Bearer(issuer.Create("read")))));
        Assert.All(answers, answer => Assert.Equal((HttpStatusCode.ServiceUnavailable, "application/problem+json", "5"), (answer.Status, answer.MediaType, answer.RetryAfter)));
        // However many ask, the provider is not stormed.
        Assert.InRange(provider.Requests, 1, 2);
        // Keys don't depend on it.
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read", ("X-Api-Key", key))).Status);

        provider.IsDown = false;
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read", Bearer(issuer.Create("read")))).Status);

        // What is known serves through the next outage.
        provider.IsDown = true;
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read", Bearer(issuer.Create("read")))).Status);
    }

    private static (string, string) Bearer(string token) => ("Authorization", "Bearer " + token);
}

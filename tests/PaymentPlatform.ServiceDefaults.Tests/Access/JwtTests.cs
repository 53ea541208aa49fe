using System.Net;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

public sealed class JwtTests : IDisposable
{
    private readonly TokenIssuer _issuer = new();

    [Theory]
    [InlineData("read", "/read", HttpStatusCode.OK)]
    [InlineData("operate", "/read", HttpStatusCode.OK)]
    [InlineData("ingest", "/read", HttpStatusCode.Forbidden)]
    [InlineData("Admin", "/read", HttpStatusCode.Forbidden)]
    [InlineData("1", "/read", HttpStatusCode.Forbidden)]
    public async Task Call_ValidToken_ItsRolesDecide(string role, string path, HttpStatusCode expected)
    {
        await using var host = await AccessHost.StartAsync(_issuer.Settings);

        var answer = await host.GetAsync(path, Bearer(_issuer.Create(role)));

        Assert.Equal(expected, answer.Status);
        if (expected == HttpStatusCode.OK)
            Assert.Equal("token:subject-1", answer.Text);
        else
            Assert.Equal("Bearer realm=\"PaymentPlatform\", error=\"insufficient_scope\", scope=\"read\"", Assert.Single(answer.Challenges));
    }

    [Fact]
    public async Task Call_AnyBadToken_401WithProblemAndChallenge()
    {
        await using var host = await AccessHost.StartAsync(_issuer.Settings);
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read", Bearer(_issuer.Create("read")))).Status);

        foreach (var (kind, token) in _issuer.BadTokens("read"))
        {
            var answer = await host.GetAsync("/read", Bearer(token));

            Assert.True(answer.Status == HttpStatusCode.Unauthorized, $"{kind}: {answer.Status}");
            Assert.Equal("application/problem+json", answer.MediaType);
            Assert.Equal("Bearer realm=\"PaymentPlatform\", error=\"invalid_token\"", Assert.Single(answer.Challenges));
            Assert.DoesNotContain(TokenIssuer.Issuer, answer.Text);
            Assert.DoesNotContain(TokenIssuer.Audience, answer.Text);
        }
    }

    [Theory]
    [InlineData("expired", "The token has expired.")]
    [InlineData("not valid yet", "The token is not valid yet.")]
    [InlineData("foreign issuer", "The token is from another issuer.")]
    [InlineData("foreign audience", "The token is for another audience.")]
    [InlineData("foreign key, same key id", "The token's signature is not valid.")]
    [InlineData("unsigned", "The token's signature is not valid.")]
    [InlineData("without an end", "The token has no valid lifetime.")]
    public async Task Call_BadToken_SaysWhatIsWrong(string kind, string reason)
    {
        await using var host = await AccessHost.StartAsync(_issuer.Settings);

        Assert.StartsWith(reason, (await host.GetAsync("/read", Bearer(_issuer.BadTokens("read")[kind]))).Detail);
    }

    [Fact]
    public async Task Call_RolesInAConfiguredClaim_AreTakenFromThereOnly()
    {
        var settings = _issuer.Settings;
        settings["Access:Jwt:RoleClaims"] = "scp, groups";
        await using var host = await AccessHost.StartAsync(settings);

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read", Bearer(_issuer.Create(new Dictionary<string, object> { ["sub"] = "s", ["scp"] = "profile read" })))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.GetAsync("/read", Bearer(_issuer.Create("read")))).Status);
    }

    [Fact]
    public async Task Call_ScopeByDefault_IsNoRole()
    {
        await using var host = await AccessHost.StartAsync(_issuer.Settings);

        Assert.Equal(HttpStatusCode.Forbidden, (await host.GetAsync("/read", Bearer(_issuer.Create(new Dictionary<string, object> { ["sub"] = "s", ["scp"] = "read" })))).Status);
    }

    [Fact]
    public async Task Call_KeyAndToken_TheKeyCounts()
    {
        var key = Key.New();
        await using var host = await AccessHost.StartAsync(new(_issuer.Settings.Concat(Key.Settings("shop", key, "ingest"))));

        Assert.Equal(HttpStatusCode.Forbidden, (await host.GetAsync("/read", Bearer(_issuer.Create("read")), ("X-Api-Key", key))).Status);
        var nothing = await host.GetAsync("/");
        Assert.Equal(["Bearer realm=\"PaymentPlatform\"", "ApiKey realm=\"PaymentPlatform\"", "Basic realm=\"PaymentPlatform\", charset=\"UTF-8\""], nothing.Challenges);
        Assert.Equal("This call needs a credential with the role 'read' (Authorization: Bearer, or X-Api-Key).", nothing.Detail);
    }

    [Fact]
    public async Task Call_SigningKeysInAFile_AreReadFromThere()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, _issuer.Jwks, TestContext.Current.CancellationToken);
        var settings = _issuer.Settings;
        settings["Access:Jwt:SigningKeys"] = file;
        await using var host = await AccessHost.StartAsync(settings);

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/read", Bearer(_issuer.Create("read")))).Status);
        File.Delete(file);
    }

    public void Dispose() => _issuer.Dispose();

    private static (string, string) Bearer(string token) => ("Authorization", "Bearer " + token);
}

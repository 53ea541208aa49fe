using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

public sealed class AccessOptionsTests
{
    private const string GoodHash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const string Jwks = """{"keys":[]}""";

    [Fact]
    public async Task Start_NoCredentialSource_SaysWhatToSet()
    {
        var line = Assert.Single(await FailuresAsync());
        Assert.StartsWith("In the environment Production calls need a credential, and none is configured: set Access:OperateKey", line);
        Assert.Contains("Access:ApiKeys:<name>:Hash", line);
        Assert.Contains("Access:Jwt:Authority", line);
    }

    [Theory]
    [InlineData("Access:OperateKey must be at least 20 printable", "OperateKey=short")]
    [InlineData("Access:OperateKey must be at least 20 printable", "OperateKey=a key with spaces, and long enough")]
    [InlineData("Access:ApiKeys:shop:Hash must be sha256:", "ApiKeys:shop:Roles=read")]
    [InlineData("Access:ApiKeys:shop:Hash must be sha256:", "ApiKeys:shop:Roles=read", "ApiKeys:shop:Hash=the-key-itself-by-mistake")]
    [InlineData("Access:ApiKeys:shop:Hash must be sha256:", "ApiKeys:shop:Roles=read", "ApiKeys:shop:Hash=" + GoodHash + "00")]
    [InlineData("Access:ApiKeys:shop:Hash is that of an empty key", "ApiKeys:shop:Roles=read", "ApiKeys:shop:Hash=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("Access:ApiKeys:shop:Roles must name at least one of ingest, read, operate", "ApiKeys:shop:Hash=" + GoodHash)]
    [InlineData("Access:ApiKeys:shop:Roles: 'admin' is not one of ingest, read, operate", "ApiKeys:shop:Hash=" + GoodHash, "ApiKeys:shop:Roles=read,admin")]
    [InlineData("Access:ApiKeys:shop:Roles: '1' is not one of", "ApiKeys:shop:Hash=" + GoodHash, "ApiKeys:shop:Roles:0=read", "ApiKeys:shop:Roles:1=1")]
    [InlineData("a key's name has", "ApiKeys:the shop:Hash=" + GoodHash, "ApiKeys:the shop:Roles=read")]
    [InlineData("Access:ApiKeys:shop:Role is not known", "ApiKeys:shop:Hash=" + GoodHash, "ApiKeys:shop:Roles=read", "ApiKeys:shop:Role=operate")]
    [InlineData("a and b are the same key", "ApiKeys:a:Hash=" + GoodHash, "ApiKeys:a:Roles=read", "ApiKeys:b:Hash=" + GoodHash, "ApiKeys:b:Roles=ingest")]
    [InlineData("Access:ApiKeys:operate has the name of the key of Access:OperateKey", "OperateKey=0123456789abcdefghij", "ApiKeys:Operate:Hash=" + GoodHash, "ApiKeys:Operate:Roles=read")]
    [InlineData("Access:ApiKey is not known: Access has OperateKey, ApiKeys, Jwt, Hosts", "OperateKey=0123456789abcdefghij", "ApiKey:shop:Hash=" + GoodHash)]
    [InlineData("Access:Jwt:Audience is missing", "Jwt:Authority=https://login.example")]
    [InlineData("Access:Jwt:Authority must be an https address", "Jwt:Authority=http://login.example", "Jwt:Audience=a")]
    [InlineData("Access:Jwt:MetadataAddress must be an https address", "Jwt:MetadataAddress=login", "Jwt:Audience=a")]
    [InlineData("Access:Jwt needs one source of keys", "Jwt:Audience=a", "Jwt:Issuer=i")]
    [InlineData("Access:Jwt needs one source of keys", "Jwt:Audience=a", "Jwt:Authority=https://login.example", "Jwt:SigningKeys=" + Jwks)]
    [InlineData("Access:Jwt:Issuer is missing", "Jwt:Audience=a", "Jwt:SigningKeys=" + Jwks)]
    [InlineData("Access:Jwt:SigningKeys holds no key", "Jwt:Audience=a", "Jwt:Issuer=i", "Jwt:SigningKeys=" + Jwks)]
    [InlineData("Access:Jwt:SigningKeys can't be read", "Jwt:Audience=a", "Jwt:Issuer=i", "Jwt:SigningKeys=/no/such/keys.json")]
    [InlineData("Access:Jwt:SigningKeys is not a JWKS document", "Jwt:Audience=a", "Jwt:Issuer=i", "Jwt:SigningKeys={")]
    [InlineData("must hold public RSA or EC keys only", "Jwt:Audience=a", "Jwt:Issuer=i", """Jwt:SigningKeys={"keys":[{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}""")]
    [InlineData("Access:Jwt:Audince is not known", "Jwt:Audince=a", "Jwt:Audience=a", "Jwt:Authority=https://login.example")]
    public async Task Start_WrongOption_OneLineThatNamesIt(string expected, params string[] settings)
    {
        var failures = await FailuresAsync(settings);

        Assert.Contains(failures, failure => failure.Contains(expected, StringComparison.Ordinal));
        Assert.All(failures, failure => Assert.DoesNotContain("by-mistake", failure));
    }

    [Fact]
    public async Task Start_WrongOptionInDevelopment_IsRefusedToo() =>
        await Assert.ThrowsAsync<OptionsValidationException>(() => AccessHost.StartAsync(new() { ["Access:OperateKey"] = "short" }, "Development"));

    [Theory]
    [InlineData("GET /nobody declares no role", "/nobody")]
    [InlineData("GET /two declares 2 roles", "/two")]
    [InlineData("GET /open is open to everybody", "/open")]
    public async Task Start_EndpointWithoutExactlyOneRole_IsRefused(string expected, string path)
    {
        foreach (var environment in new[] { "Production", "Development" })
        {
            var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => AccessHost.StartAsync(new() { ["Access:OperateKey"] = Key.New() }, environment, map: app =>
            {
                var endpoint = app.MapGet(path, () => "");
                if (path == "/two")
                    endpoint.RequireRole(AccessRole.Read).RequireRole(AccessRole.Operate);
                if (path == "/open")
                    endpoint.AllowAnonymous();
            }));
            Assert.StartsWith(expected, exception.Message);
        }
    }

    [Fact]
    public async Task Start_WithoutUseAccess_IsRefused()
    {
        var builder = WebApplication.CreateBuilder();
        Microsoft.Extensions.Hosting.AccessExtensions.AddAccessFor(builder, null);
        await using var app = builder.Build();

        Assert.Contains("UseAccess", (await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync(TestContext.Current.CancellationToken))).Message);
    }

    private static async Task<IEnumerable<string>> FailuresAsync(params string[] settings)
    {
        var pairs = settings.Select(setting => setting.Split('=', 2)).ToDictionary(pair => "Access:" + pair[0], pair => (string?)pair[1]);
        return (await Assert.ThrowsAsync<OptionsValidationException>(() => AccessHost.StartAsync(pairs))).Failures;
    }
}

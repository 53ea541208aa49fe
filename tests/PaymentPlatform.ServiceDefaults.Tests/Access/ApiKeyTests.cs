using System.Net;
using System.Text;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

public sealed class ApiKeyTests
{
    private const string Header = "X-Api-Key";

    private static readonly string ReadKey = Key.New();
    private static readonly string IngestKey = Key.New();
    private static readonly string OperateKey = Key.New();

    private static readonly Dictionary<string, string?> Settings = new(
        Key.Settings("shop", IngestKey, "ingest").Concat(Key.Settings("report", ReadKey, "read")).Concat(Key.Settings("night-shift", OperateKey, "Operate")));

    [Fact]
    public async Task Call_NoCredential_401ThatNamesRoleAndMeans()
    {
        await using var host = await AccessHost.StartAsync(Settings);

        var answer = await host.GetAsync("/read");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.Equal("This call needs a credential with the role 'read' (X-Api-Key).", answer.Detail);
        Assert.Equal("ApiKey realm=\"PaymentPlatform\"", Assert.Single(answer.Challenges));
    }

    [Fact]
    public async Task Call_WrongRole_403ThatNamesTheRole()
    {
        await using var host = await AccessHost.StartAsync(Settings);

        var answer = await host.GetAsync("/read", (Header, IngestKey));

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.Equal("This call needs the role 'read', which the credential does not have.", answer.Detail);
    }

    [Fact]
    public async Task Call_RightRole_KnowsTheKeyByName()
    {
        await using var host = await AccessHost.StartAsync(Settings);

        Assert.Equal("key:report", (await host.GetAsync("/read", (Header, ReadKey))).Text);
        Assert.Equal("key:night-shift", (await host.GetAsync("/read", (Header, OperateKey))).Text);
    }

    [Theory]
    [InlineData("unknown")]
    [InlineData("empty")]
    [InlineData("shorter")]
    [InlineData("longer")]
    [InlineData("huge")]
    [InlineData("hash")]
    [InlineData("twice")]
    public async Task Call_KeyIsNotTheKey_401(string kind)
    {
        await using var host = await AccessHost.StartAsync(Settings);
        (string, string)[] headers = kind switch
        {
            "unknown" => [(Header, Key.New())],
            "empty" => [(Header, "")],
            "shorter" => [(Header, ReadKey[..^1])],
            "longer" => [(Header, ReadKey + "0")],
            "huge" => [(Header, new string('a', 8000))],
            "hash" => [(Header, Key.Hash(ReadKey)["sha256:".Length..])],
            _ => [(Header, ReadKey), (Header, ReadKey)],
        };

        var answer = await host.GetAsync("/read", headers);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.DoesNotContain(ReadKey[..^1], answer.Text);
    }

    [Fact]
    public async Task Call_BearerWhereNoTokensAreTaken_401()
    {
        await using var host = await AccessHost.StartAsync(Settings);

        Assert.Equal(HttpStatusCode.Unauthorized, (await host.GetAsync("/read", ("Authorization", "Bearer " + ReadKey))).Status);
    }

    [Fact]
    public async Task Page_BrowserWithoutCredential_IsAskedForOne()
    {
        await using var host = await AccessHost.StartAsync(Settings);

        var answer = await host.GetAsync("/", ("Accept", "text/html"));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Contains(answer.Challenges, challenge => challenge.StartsWith("Basic ", StringComparison.Ordinal));
        // What the page's script fetches must not pop a dialog up.
        Assert.DoesNotContain((await host.GetAsync("/read")).Challenges, challenge => challenge.StartsWith("Basic ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Basic_KeyAsPassword_ReadsButNeverChanges()
    {
        await using var host = await AccessHost.StartAsync(Settings);

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/", Basic("me", OperateKey))).Status);
        Assert.Equal("key:report", (await host.GetAsync("/read", Basic("", ReadKey))).Text);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.GetAsync("/read", Basic("", IngestKey))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.GetAsync("/read", Basic("", Key.New()))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.GetAsync("/read", ("Authorization", "Basic ???"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.SendAsync(HttpMethod.Post, "/operate/1", Basic("me", OperateKey))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.SendAsync(HttpMethod.Post, "/ingest", Basic("me", IngestKey))).Status);
    }

    [Fact]
    public async Task OperateKey_Alone_DoesEverything()
    {
        var key = Key.New();
        await using var host = await AccessHost.StartAsync(new() { ["Access:OperateKey"] = key });

        Assert.Equal("key:operate", (await host.GetAsync("/read", (Header, key))).Text);
        Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Post, "/ingest", (Header, key))).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await host.SendAsync(HttpMethod.Post, "/operate/1", (Header, key))).Status);
    }

    [Fact]
    public async Task UnknownPathAndMethod_NeedAnyCredential()
    {
        await using var host = await AccessHost.StartAsync(Settings);

        Assert.Equal(HttpStatusCode.Unauthorized, (await host.GetAsync("/nowhere")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.GetAsync("/ingest")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await host.GetAsync("/nowhere", (Header, IngestKey))).Status);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await host.GetAsync("/ingest", (Header, IngestKey))).Status);
    }

    [Fact]
    public async Task Operate_AnyOutcome_IsLoggedWithWhoButNotTheKey()
    {
        await using var host = await AccessHost.StartAsync(Settings);

        await host.SendAsync(HttpMethod.Post, "/operate/7", (Header, OperateKey));
        await host.SendAsync(HttpMethod.Post, "/operate/a%0Ab", (Header, ReadKey));
        await host.SendAsync(HttpMethod.Post, "/operate/8");
        await host.SendAsync(HttpMethod.Post, "/operate/fail", (Header, OperateKey));
        await host.GetAsync("/read", (Header, OperateKey));

        Assert.Equal(
            [
                "Information: Operate: POST /operate/7 by key:night-shift answered 202",
                "Information: Operate: POST /operate/a%0Ab by key:report answered 403",
                "Information: Operate: POST /operate/8 by anonymous answered 401",
                "Information: Operate: POST /operate/fail by key:night-shift answered 500",
            ],
            host.Logs.Lines.Where(line => line.Text.Contains("Operate:", StringComparison.Ordinal)).Select(line => $"{line.Level}: {line.Text}"));
        Assert.DoesNotContain(host.Logs.Lines, line => line.Text.Contains(OperateKey, StringComparison.Ordinal) || line.Text.Contains(ReadKey, StringComparison.Ordinal));
    }

    private static (string, string) Basic(string user, string password) => ("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
}

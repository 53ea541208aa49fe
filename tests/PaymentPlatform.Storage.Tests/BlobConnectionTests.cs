using Azure;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Storage.Tests;

/// <summary>The forms that <c>ConnectionStrings:blobs</c> comes in: Azurite's and Azure's.</summary>
public sealed class BlobConnectionTests(PlatformFixture platform)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Open_ConnectionString_ReachesTheStore()
    {
        var client = BlobConnection.Open(platform.BlobConnectionString, Options());
        var container = client.GetBlobContainerClient($"open-{Guid.NewGuid():N}");
        await container.CreateAsync(cancellationToken: Token);
        Assert.True(await container.ExistsAsync(Token));
    }

    [Fact]
    public async Task Open_AddressOfAnAccount_SignsInAsTheProcess()
    {
        // Whoever is signed in on this machine must not matter, and nothing must ask the network for an identity.
        Environment.SetEnvironmentVariable("AZURE_TOKEN_CREDENTIALS", nameof(EnvironmentCredential));
        var client = BlobConnection.Open("https://account.blob.core.windows.net/", Options(new NoNetwork()));
        Assert.Equal("account", client.AccountName);
        Assert.False(client.CanGenerateAccountSasUri);
        // No identity is there to sign in with: the credential chain says so before anything is sent.
        await Assert.ThrowsAnyAsync<AuthenticationFailedException>(async () => await client.GetBlobContainerClient("raw-events").ExistsAsync(Token));
    }

    [Fact]
    public async Task Open_AddressWithSas_SendsTheSasAndNoToken()
    {
        var network = new NoNetwork();
        var client = BlobConnection.Open("https://account.blob.core.windows.net/?sv=2025-01-05&sig=abc", Options(network));
        await Assert.ThrowsAsync<RequestFailedException>(async () => await client.GetBlobContainerClient("raw-events").ExistsAsync(Token));
        Assert.Contains("sig=abc", network.Sent);
    }

    [Theory]
    [InlineData(null, "is missing: set ConnectionStrings__blobs.")]
    [InlineData("", "is missing: set ConnectionStrings__blobs.")]
    [InlineData("nonsense", "can't be read")]
    [InlineData("AccountName=x;AccountKey=topsecret", "can't be read")]
    [InlineData("http://account.blob.core.windows.net/", "https only")]
    public void Open_NothingToWorkWith_OneLineWithoutTheValue(string? value, string says)
    {
        var refused = Assert.Throws<OptionsValidationException>(() => BlobConnection.Open(value, Options()));
        var line = Assert.Single(refused.Failures);
        Assert.StartsWith("The connection string 'blobs'", line);
        Assert.Contains(says, line);
        Assert.DoesNotContain("topsecret", line);
    }

    private static BlobClientOptions Options(HttpPipelineTransport? transport = null)
    {
        var options = new BlobClientOptions(BlobClientOptions.ServiceVersion.V2025_01_05) { Retry = { MaxRetries = 0 } };
        if (transport is not null)
            options.Transport = transport;
        return options;
    }

    /// <summary>Lets nothing out; remembers where it would have gone.</summary>
    private sealed class NoNetwork : HttpPipelineTransport
    {
        private readonly HttpClientTransport _requests = new();

        public string Sent { get; private set; } = "";

        public override Azure.Core.Request CreateRequest() => _requests.CreateRequest();

        public override void Process(Azure.Core.HttpMessage message) => throw Refuse(message);

        public override ValueTask ProcessAsync(Azure.Core.HttpMessage message) => throw Refuse(message);

        private RequestFailedException Refuse(Azure.Core.HttpMessage message)
        {
            Sent = message.Request.Uri.ToString();
            return new RequestFailedException("no network");
        }
    }
}

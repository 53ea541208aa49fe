using System.Net;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class RequestBodyTests(PlatformFixture platform)
{
    /// <summary>JSON can spell texts that are none, or that PostgreSQL can't hold.</summary>
    [Theory]
    [InlineData("/v1/archive/rehydrations", """{"blob_names": ["\ud800"]}""", "blob_names[0]")]
    [InlineData("/v1/archive/rehydrations", """{"blob_names": ["a", "\u0000"]}""", "blob_names[1]")]
    [InlineData("/v1/archive/rehydrations", """{"blob_names": ["a"], "\udc00": 1}""", null)]
    [InlineData("/v1/archive/holds", """{"\ud800": 1}""", null)]
    [InlineData("/v1/archive/holds", """{"transaction_id": "t", "reason": "\udc00"}""", "reason")]
    [InlineData("/v1/metrics/rebuild", """{"from": "\ud800", "to": "2026-01-01"}""", "from")]
    [InlineData("/v1/metrics/rebuild", """{"from": "2026-01-01", "to": "2026-01-02", "\u0000": "x"}""", null)]
    [InlineData("/v1/replays", """{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": {"\ud800": 1}}""", null)]
    [InlineData("/v1/replays", """{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": {"merchant_id": ["\ud800"]}}""", "filter.merchant_id[0]")]
    [InlineData("/v1/sql", """{"sql": "SELECT '\u0000'"}""", "sql")]
    [InlineData("/v1/sql", """{"sql": "SELECT 1", "\ud800": "x"}""", null)]
    [InlineData("/v1/failed-items/resolve", """{"all": true, "\ud800": "x"}""", null)]
    public async Task Post_TextThatIsNone_400NamesIt(string path, string body, string? name)
    {
        await using var host = await QueryHost.StartAsync(platform);
        using var response = await host.Client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{(int)response.StatusCode} {text}");
        Assert.Equal(name, JsonElement.Parse(text).TryGetProperty("errors", out var errors) ? Assert.Single(errors.EnumerateObject()).Name : null);
    }

    /// <summary>Half a character is not JSON's fault alone: the bytes themselves may be no UTF-8.</summary>
    [Fact]
    public async Task Post_BytesThatAreNoUtf8_400()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (before, after) in ((string, string)[])[("{\"reason\": \"", "\"}"), ("{\"", "\": 1}")])
        {
            using var content = new ByteArrayContent([.. Encoding.UTF8.GetBytes(before), 0xFF, .. Encoding.UTF8.GetBytes(after)]);
            content.Headers.ContentType = new("application/json");
            using var response = await host.Client.PostAsync("/v1/archive/holds", content);
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, await response.Content.ReadAsStringAsync());
        }
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

/// <summary>Files as the archiver writes them, from the sample and from bytes that are no events.</summary>
public sealed class RealFilesTests(PlatformFixture platform)
{
    [Fact]
    public async Task Sample_WrittenByTheArchiversWriter_ComesBackExactly()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var lines = await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "transactions.jsonl"));
        byte[][] broken = ["{\"transaction_id\":\"broken-1\",\"amount\":-5}"u8.ToArray(), [0xff, 0xfe, 0x00], "not json"u8.ToArray(), []];
        await RealFiles.AddAsync(host, [.. lines.Take(60).Select(Encoding.UTF8.GetBytes)], 0);
        await RealFiles.AddAsync(host, [.. lines.Skip(60).Select(Encoding.UTF8.GetBytes), .. broken], 60);

        var valid = await host.GetAllAsync("/v1/events?is_valid=true&limit=33");
        Assert.Equal(lines.Order(StringComparer.Ordinal), valid.Select(e => e.GetProperty("raw_payload").GetString()!).Order(StringComparer.Ordinal));
        foreach (var line in lines)
        {
            var sent = JsonDocument.Parse(line).RootElement;
            var trail = await host.GetAsync("/v1/transactions/" + sent.GetProperty("transaction_id").GetString());
            var stored = Assert.Single(trail.GetProperty("events").EnumerateArray());
            Assert.Equal(line, stored.GetProperty("raw_payload").GetString());
            Assert.Equal(sent.GetProperty("amount").GetDecimal(), stored.GetProperty("amount").GetDecimal());
            Assert.Equal(sent.GetProperty("metadata").GetRawText(), stored.GetProperty("metadata").GetRawText());
            Assert.Equal(sent.GetProperty("merchant_name").GetString(), stored.GetProperty("merchant_name").GetString());
            Assert.Equal(DateTime.Parse(sent.GetProperty("transaction_timestamp").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal), stored.GetProperty("transaction_timestamp").GetDateTime());
            Assert.Equal("2026-01-01T00:00:00.000000Z", stored.GetProperty("enqueued_at").GetString());
            Assert.True(stored.GetProperty("is_valid").GetBoolean());
        }

        var invalid = await host.GetAllAsync("/v1/events?is_valid=false");
        Assert.Equal(broken.Length, invalid.Count);
        Assert.All(invalid, e => Assert.NotEqual(0, e.GetProperty("errors").GetArrayLength()));
        Assert.Equal(
            broken.Select(Convert.ToBase64String).Order(),
            invalid.Select(e => e.TryGetProperty("raw_payload", out var text) ? Convert.ToBase64String(Encoding.UTF8.GetBytes(text.GetString()!)) : e.GetProperty("raw_payload_base64").GetString()!).Order());
        var negative = Assert.Single((await host.GetAsync("/v1/transactions/broken-1")).GetProperty("events").EnumerateArray());
        Assert.Contains(negative.GetProperty("errors").EnumerateArray(), e => e.GetProperty("field").GetString() == "amount");
    }
}

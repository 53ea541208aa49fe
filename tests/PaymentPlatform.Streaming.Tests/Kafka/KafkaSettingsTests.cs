using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using PaymentPlatform.Streaming.Kafka;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Kafka;

public sealed class KafkaSettingsTests(PlatformFixture platform)
{
    private const string EventHubs = "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=app;SharedAccessKey=c2VjcmV0=;EntityPath=payments";

    [Fact]
    public void Settings_EventHubsConnectionString_ReachItsKafkaEndpoint()
    {
        var settings = new KafkaSettings(new(), new(), EventHubs);
        var producer = settings.Producer();

        Assert.Equal("shop.servicebus.windows.net:9093", settings.Address);
        Assert.Equal("shop.servicebus.windows.net:9093", producer["bootstrap.servers"]);
        Assert.Equal("SASL_SSL", producer["security.protocol"]);
        Assert.Equal("PLAIN", producer["sasl.mechanism"]);
        Assert.Equal("$ConnectionString", producer["sasl.username"]);
        Assert.Equal(EventHubs, producer["sasl.password"]);
        Assert.Equal("none", producer["compression.type"]);
        Assert.Equal("true", producer["enable.idempotence"]);
        Assert.Equal("30000", settings.Consumer("metrics", 1 << 20)["session.timeout.ms"]);
        // A request beyond 1,046,528 bytes would be cut off.
        Assert.True(settings.MaxBodySize + KafkaSettings.MaxIdentitySize <= 1_000_000);
    }

    [Fact]
    public void Settings_EventHubsEmulator_HasAPortOfItsOwnAndNoTls()
    {
        var producer = new KafkaSettings(new(), new(), "Endpoint=sb://localhost;SharedAccessKeyName=x;SharedAccessKey=y;UseDevelopmentEmulator=true;").Producer();

        Assert.Equal("localhost:9092", producer["bootstrap.servers"]);
        Assert.Equal("SASL_PLAINTEXT", producer["security.protocol"]);
    }

    [Fact]
    public void Settings_OwnOnesOfTheOperator_GoBeforeOursButNotWhereEventsCouldBeLost()
    {
        var options = new KafkaOptions
        {
            BootstrapServers = "a:9092, b:9093",
            GroupPrefix = "shop.",
            Settings = new() { ["compression.type"] = "lz4", ["acks"] = "0", ["enable.auto.commit"] = "true", ["auto.offset.reset"] = "latest", ["session.timeout.ms"] = "45000" },
        };
        var settings = new KafkaSettings(options, new(), connectionString: null);

        Assert.Equal("a:9092,b:9093", settings.Address);
        Assert.Equal("lz4", settings.Producer()["compression.type"]);
        Assert.Equal("all", settings.Producer()["acks"]);
        var consumer = settings.Consumer("metrics", 1 << 20);
        Assert.Equal("shop.metrics", consumer["group.id"]);
        Assert.Equal("45000", consumer["session.timeout.ms"]);
        Assert.Equal("false", consumer["enable.auto.commit"]);
        Assert.Equal("error", consumer["auto.offset.reset"]);
    }

    [Theory]
    [InlineData(null, null, null, "Streaming:Transport is Kafka, but there is no broker: set ConnectionStrings:payments to host:port")]
    [InlineData("Host=db;Port=5432", null, null, "ConnectionStrings:payments is no address of Kafka brokers: it is neither.")]
    [InlineData("Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=app", null, null, "ConnectionStrings:payments is no address of Kafka brokers: its SharedAccessKey is missing.")]
    [InlineData("broker:9092", "no.such.thing", "1", "Streaming:Kafka:Settings can't be used: No such configuration property: \"no.such.thing\".")]
    [InlineData("broker:9092", "compression.type", "rar", "Streaming:Kafka:Settings can't be used: Invalid value")]
    public async Task AddStreaming_KafkaThatCannotBe_StopsTheStartWithOneLine(string? connectionString, string? key, string? value, string expected)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:paymentsdb"] = await platform.CreateDatabaseAsync(),
            ["ConnectionStrings:blobs"] = platform.BlobConnectionString,
            ["ConnectionStrings:payments"] = connectionString,
            ["Streaming:Transport"] = "kafka",
            [key is null ? "Unused" : $"Streaming:Kafka:Settings:{key}"] = value,
        });
        builder.AddStreaming();
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.StartsWith(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }
}

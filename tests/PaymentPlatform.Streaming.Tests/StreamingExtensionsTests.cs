using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests;

public sealed class StreamingExtensionsTests(PlatformFixture platform)
{
    [Fact]
    public async Task AddStreaming_WrongTransport_StopsTheStartWithOneLine()
    {
        using var host = await HostAsync(("Streaming:Transport", "Pigeon"));

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal("Streaming:Transport is 'Pigeon': choose one of Postgres, Kafka, EventHubs.", error.Message);
    }

#if USE_ASPIRE
    [Theory]
    [InlineData("Streaming:Transport", "EventHubs", "ConnectionStrings:payments is not set: give the Event Hubs connection string")]
#else
    [Theory]
    [InlineData("Streaming:Transport", "eventhubs", "Streaming:Transport is 'EventHubs': this build lacks it. Build with UseAspire=true, or choose Postgres or Kafka.")]
#endif
    public async Task AddStreaming_EventHubsThatCannotBeHad_StopsTheStartWithOneLine(string key, string value, string beginning)
    {
        using var host = await HostAsync((key, value));

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.StartsWith(beginning, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public async Task AddStreaming_Twice_GivesOnePublisherThatWorks()
    {
        using var host = await HostAsync();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.Services.GetRequiredService<StreamTopology>().EnsureAsync(TestContext.Current.CancellationToken);
        await host.Services.GetRequiredService<MessagePublisher>().PublishAsync(Messages.Of("x"));

        Assert.Single(host.Services.GetServices<MessagePublisher>());
        Assert.NotNull(host.Services.GetService<StreamRangeReader>());
        Assert.Single(host.Services.GetServices<IHostedService>(), s => s.GetType().Name == "StreamRetentionService");
        await using var consumer = await host.Services.GetRequiredService<MessageConsumerFactory>().CreateAsync("g", TestContext.Current.CancellationToken);
        Assert.IsType<ConsumerEvent.Assigned>(await consumer.ReadAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    private async Task<IHost> HostAsync(params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)))
        {
            ["ConnectionStrings:paymentsdb"] = await platform.CreateDatabaseAsync(),
            ["ConnectionStrings:blobs"] = platform.BlobConnectionString,
            ["Streaming:Partitions"] = "1",
        });
        builder.AddStreaming();
        builder.AddStreaming();
        return builder.Build();
    }
}

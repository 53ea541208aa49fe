using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests;

public sealed class MaskingPublisherTests(PlatformFixture platform)
{
    private const string Card = "4111111111111111";
    private const string WithCard = $$"""{"transaction_id":"t","note":"{{Card}}"}""";
    private const string Clean = """{"transaction_id":"t","note":"thanks"}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Publish_CardData_IsMaskedInTheStreamAndSaysSo()
    {
        var seen = await PublishAndReadAsync(services => services.GetRequiredService<MessagePublisher>());

        Assert.Equal("""{"transaction_id":"t","note":"411111******1111"}""", seen[0].Text);
        Assert.Equal(new MessageHeaders([new("card_data", "masked"), new("origin", "live")]), seen[0].Headers);
        Assert.Equal((Clean, MessageHeaders.Empty), (seen[1].Text, seen[1].Headers));
    }

    [Theory]
    [InlineData("allow", false)]
    [InlineData("reject", true)]
    public async Task Publish_AllowedOrInspected_IsLeftAsItIs(string setting, bool inspected)
    {
        var seen = await PublishAndReadAsync(services => inspected ? services.GetInspectedPublisher() : services.GetRequiredService<MessagePublisher>(), setting);

        Assert.Equal([WithCard, Clean], seen.Select(m => m.Text));
        Assert.Null(seen[0].Headers["card_data"]);
    }

    private async Task<List<Received>> PublishAndReadAsync(Func<IServiceProvider, MessagePublisher> publisher, string? setting = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:paymentsdb"] = await platform.CreateDatabaseAsync(),
            ["ConnectionStrings:blobs"] = platform.BlobConnectionString,
            ["Streaming:Partitions"] = "1",
            ["Ingest:CardData"] = setting,
        });
        builder.AddStreaming();
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        await publisher(host.Services).PublishAsync(Messages.Of(WithCard, headers: new([new("origin", "live")])), Messages.Of(Clean));

        await using var consumer = await host.Services.GetRequiredService<MessageConsumerFactory>().CreateAsync("g", Cancellation);
        var seen = new List<Received>();
        while (seen.Count < 2)
        {
            if (await consumer.ReadAsync(TimeSpan.FromSeconds(30), Cancellation) is ConsumerEvent.Received(var batch))
            {
                using (batch)
                    seen.AddRange(batch.Messages.ToArray().Select(m => Received.From(batch.Partition, m)));
            }
        }

        await host.StopAsync(Cancellation);
        return seen;
    }
}

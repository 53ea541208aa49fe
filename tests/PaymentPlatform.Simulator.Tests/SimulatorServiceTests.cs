using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PaymentPlatform.Simulator;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Simulator.Tests;

public sealed class SimulatorServiceTests(PlatformFixture platform)
{
    [Fact]
    public async Task Run_ToTheStream_PublishesAtTheRate()
    {
        using var host = Create(("Simulator:Rate", "400"), ("ConnectionStrings:paymentsdb", await platform.CreateDatabaseAsync()));
        await host.StartAsync(TestContext.Current.CancellationToken);
        await using var consumer = await host.Services.GetRequiredService<MessageConsumerFactory>().CreateAsync("test", TestContext.Current.CancellationToken);
        var customers = new HashSet<string>();
        var events = 0;
        while (events < 400)
        {
            if (await consumer.ReadAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken) is not ConsumerEvent.Received(var batch))
                continue;
            foreach (var message in batch.Messages)
            {
                Assert.Equal(36, message.Message.MessageId.Length);
                Assert.NotEqual((byte)'\n', message.Message.Body.Span[^1]);
                customers.Add(System.Text.Encoding.UTF8.GetString(message.Message.PartitionKey.Span));
                events++;
            }

            batch.Dispose();
        }

        await host.StopAsync(TestContext.Current.CancellationToken);
        Assert.InRange(customers.Count, 100, events);
    }

    [Fact]
    public async Task Run_WithSettingsFile_PlantsWhatItSays()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "violations: { kyc: { missing_customer_id: 0.5 } }");
        using var host = Create(("Simulator:Rate", "400"), ("Simulator:Config", file), ("ConnectionStrings:paymentsdb", await platform.CreateDatabaseAsync()));
        await host.StartAsync(TestContext.Current.CancellationToken);
        await using var consumer = await host.Services.GetRequiredService<MessageConsumerFactory>().CreateAsync("test", TestContext.Current.CancellationToken);
        var (events, missing) = (0, 0);
        while (events < 400)
        {
            if (await consumer.ReadAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken) is not ConsumerEvent.Received(var batch))
                continue;
            foreach (var message in batch.Messages)
            {
                var json = JsonDocument.Parse(message.Message.Body).RootElement;
                var customer = json.GetProperty("customer_id").GetString();
                Assert.Equal(customer ?? json.GetProperty("transaction_id").GetString(), System.Text.Encoding.UTF8.GetString(message.Message.PartitionKey.Span));
                events++;
                missing += customer is null ? 1 : 0;
            }

            batch.Dispose();
        }

        await host.StopAsync(TestContext.Current.CancellationToken);
        File.Delete(file);
        Assert.Equal(0.5, missing / (double)events, 0.15);
    }

    [Theory]
    [InlineData("Simulator:Target", "File")]
    [InlineData("Simulator:Rate", "-1")]
    [InlineData("Simulator:InvalidShare", "2")]
    [InlineData("Simulator:Url", "nowhere")]
    [InlineData("Simulator:BatchInterval", "00:00:00")]
    [InlineData("Simulator:Config", "no/such/file.yaml")]
    public async Task Start_WrongOption_NamesIt(string option, string value)
    {
        using var host = Create((option, value));

        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains(option, exception.Message);
    }

    [Theory]
    [InlineData(SimulatorTarget.File)]
    [InlineData(SimulatorTarget.Stream)]
    public async Task Simulate_OptionMissing_Exit2(SimulatorTarget target) =>
        Assert.Equal(2, await SimulateCommand.RunAsync(new() { Target = target, Total = 1 }, TestContext.Current.CancellationToken));

    [Fact]
    public async Task Simulate_ToAFile_OneEventALine()
    {
        var file = Path.GetTempFileName();

        Assert.Equal(0, await SimulateCommand.RunAsync(new() { Target = SimulatorTarget.File, Out = file, Total = 2_345, Seed = 1, InvalidShare = 0.1 }, TestContext.Current.CancellationToken));

        var lines = File.ReadAllLines(file);
        Assert.Equal(2_345, lines.Length);
        Assert.All(lines, line => Assert.StartsWith("{\"transaction", line));
        File.Delete(file);
    }

    private IHost Create(params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["ConnectionStrings:paymentsdb"] = platform.AdminConnectionString;
        builder.Configuration["ConnectionStrings:blobs"] = platform.BlobConnectionString;
        foreach (var (key, value) in settings)
            builder.Configuration[key] = value;
        builder.AddSimulator();
        return builder.Build();
    }
}

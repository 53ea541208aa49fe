using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

/// <summary>The service as it runs, over the real stream.</summary>
public sealed class MetricsServiceTests(PlatformFixture platform)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Run_SeveralInstancesThatComeAndGo_SameFigures(int instances)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var random = new Random(instances);
        var payloads = Enumerable.Range(0, 6_000).Select(_ => TestEvents.Next(random)).ToArray();
        var hosts = new List<IHost>();
        for (var i = 0; i < instances; i++)
            hosts.Add(await StartAsync(database));

        var publisher = hosts[0].Services.GetRequiredService<MessagePublisher>();
        for (var i = 0; i < payloads.Length; i += 100)
        {
            await publisher.PublishAsync(payloads.Skip(i).Take(100).Select(p => Message(p)).ToArray(), [], CancellationToken.None);
            // Half-way the last one leaves and another comes.
            if (i == payloads.Length / 2 && instances > 1)
            {
                await StopAsync(hosts[^1]);
                hosts[^1] = await StartAsync(database);
            }
        }

        var expected = TestEvents.Figures(payloads);
        await Eventually.TrueAsync(async () => (await database.FiguresAsync()).Sum(f => f.Count) >= expected.Sum(f => f.Count), "all events are counted");
        foreach (var host in hosts)
            await StopAsync(host);

        Assert.Equal(expected, await database.FiguresAsync());
        Assert.Equal(payloads.Length - expected.Sum(f => f.Count), (await database.FailedAsync()).Count);
    }

    [Fact]
    public async Task Run_ConnectionsTerminatedWhileEventsArrive_SameFigures()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        using var host = await StartAsync(database);
        var publisher = host.Services.GetRequiredService<MessagePublisher>();
        var random = new Random(7);
        var accepted = new List<byte[]>();
        for (var i = 0; i < 60; i++)
        {
            var payloads = Enumerable.Range(0, 50).Select(_ => TestEvents.Next(random)).ToArray();
            // The stream may be away, and an append of unknown outcome is not tried again without a key of its own.
            var claim = new IdempotencyClaim($"batch-{i}", 0, new byte[32], ReadOnlyMemory<byte>.Empty, 0, payloads.Length);
            await Eventually.TrueAsync(() => TryPublishAsync(publisher, payloads, claim), "the batch is published");
            accepted.AddRange(payloads);
            if (i % 5 == 0)
            {
                await database.QueryAsync("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'observer'", r => r.GetInt64(0));
                await Task.Delay(random.Next(50), CancellationToken.None);
            }
        }

        var expected = TestEvents.Figures(accepted);
        await Eventually.TrueAsync(async () => (await database.FiguresAsync()).Sum(f => f.Count) >= expected.Sum(f => f.Count), "all events are counted");
        await StopAsync(host);

        Assert.Equal(expected, await database.FiguresAsync());
    }

    [Fact]
    public async Task Stop_EventsGathered_CommitsThem()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        using var host = await StartAsync(database, ("Metrics:CommitInterval", "00:00:10"));
        using var received = new ReceivedEvents(host);
        var publisher = host.Services.GetRequiredService<MessagePublisher>();
        await publisher.PublishAsync(new[] { Message(Event("1")) }, [], CancellationToken.None);
        await Eventually.TrueAsync(async () => (await database.FiguresAsync()).Count == 1, "the first event is committed at once");
        var begin = Stopwatch.StartNew();
        await publisher.PublishAsync(new[] { Message(Event("2")) }, [], CancellationToken.None);
        await Eventually.TrueAsync(() => received.Count == 2, "the second event is gathered");

        await StopAsync(host);

        Assert.True(begin.Elapsed < TimeSpan.FromSeconds(9), $"The stop took {begin.Elapsed}.");
        Assert.Equal(3m, Assert.Single(await database.FiguresAsync()).Total);
    }

    [Theory]
    [InlineData("Metrics:CommitInterval", "01:00:00")]
    [InlineData("Metrics:MaxBatchKeys", "0")]
    [InlineData("Ingest:CardData", "perhaps")]
    public async Task Start_WrongOption_NamesIt(string option, string value)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);

        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(database, (option, value)));

        Assert.Contains(option, exception.Message);
    }

    private static byte[] Event(string amount) => Encoding.UTF8.GetBytes(TestEvents.Event(Guid.NewGuid().ToString(), TestEvents.Enqueued, amount));

    private static Message Message(byte[] payload) => new(payload, Guid.NewGuid().ToByteArray(), default, Encoding.UTF8.GetBytes($"C{payload.Length % 50}"), MessageHeaders.Empty);

    private static async Task<bool> TryPublishAsync(MessagePublisher publisher, byte[][] payloads, IdempotencyClaim claim)
    {
        try
        {
            await publisher.PublishAsync(payloads.Select(Message).ToArray(), [claim], CancellationToken.None);
            return true;
        }
        catch (StreamUnavailableException)
        {
            return false;
        }
    }

    private async Task<IHost> StartAsync(MetricsDatabase database, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["ConnectionStrings:paymentsdb"] = database.ConnectionString;
        builder.Configuration["ConnectionStrings:blobs"] = platform.BlobConnectionString;
        builder.Configuration["Streaming:LeaseDuration"] = "00:00:03";
        foreach (var (key, value) in settings)
            builder.Configuration[key] = value;
        builder.AddMetrics();
        var host = builder.Build();
        await host.StartAsync(CancellationToken.None);
        return host;
    }

    /// <summary>Counts what the host's consumer was handed.</summary>
    private sealed class ReceivedEvents : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public ReceivedEvents(IHost host)
        {
            var meters = host.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "streaming.receive.events" && ReferenceEquals(instrument.Meter.Scope, meters))
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _count, value));
            _listener.Start();
        }

        public long Count => Interlocked.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }

    private static async Task StopAsync(IHost host)
    {
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
    }
}

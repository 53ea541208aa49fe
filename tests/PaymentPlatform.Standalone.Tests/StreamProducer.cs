using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>Another producer of the stream, past the ingest service.</summary>
internal static class StreamProducer
{
    /// <param name="settings">Of the stream, besides the connection strings.</param>
    public static async Task PublishAsync(
        PlatformProcess.Connections connections, string[] payloads, CancellationToken cancellation, Func<IServiceProvider, Task>? then = null, Dictionary<string, string>? settings = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration["ConnectionStrings:paymentsdb"] = connections.Paymentsdb;
        builder.Configuration["ConnectionStrings:blobs"] = connections.Blobs;
        foreach (var (name, value) in settings ?? [])
            builder.Configuration[name] = value;
        builder.AddStreaming();
        using var host = builder.Build();
        await host.StartAsync(cancellation);
        var messages = payloads.Select(p => new Message(Encoding.UTF8.GetBytes(p), Encoding.UTF8.GetBytes(Guid.NewGuid().ToString()), default, "C1"u8.ToArray(), MessageHeaders.Empty)).ToArray();
        await host.Services.GetRequiredService<MessagePublisher>().PublishAsync(messages, [], cancellation);
        if (then is not null)
            await then(host.Services);
        await host.StopAsync(cancellation);
    }
}

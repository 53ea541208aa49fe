using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
#if USE_ASPIRE
using PaymentPlatform.Streaming.EventHubs.Client;
#endif

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>Registers this transport where the build has it.</summary>
internal static class EventHubsTransport
{
    public const string Name = HubLog.Transport;

    /// <returns>Null, or one line that says why it can't be had: nothing is registered then.</returns>
    public static string? TryAdd(IHostApplicationBuilder builder, string stream)
    {
#if USE_ASPIRE
        try
        {
            var address = HubAddress.Parse(builder.Configuration[$"ConnectionStrings:{HubAddress.ConnectionName}"], stream);
            builder.AddHubClient(address);
            Add(builder.Services);
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
#else
        _ = (builder, stream);
        return $"Streaming:Transport is '{Name}': this build lacks it. Build with UseAspire=true, or choose Postgres or Kafka.";
#endif
    }

    /// <summary>Everything but the <see cref="HubClient"/>.</summary>
    internal static void Add(IServiceCollection services)
    {
        services.AddSingleton<HubLog>();
        services.AddSingleton<EventHubsTopology>();
        services.AddSingleton<StreamTopology>(provider => provider.GetRequiredService<EventHubsTopology>());
        services.AddSingleton<MessagePublisher, EventHubsPublisher>();
        services.AddSingleton<StreamTargets, EventHubsStreamTargets>();
        services.AddSingleton<MessageConsumerFactory, EventHubsConsumerFactory>();
        services.AddSingleton<StreamRangeReader, EventHubsRangeReader>();
    }
}

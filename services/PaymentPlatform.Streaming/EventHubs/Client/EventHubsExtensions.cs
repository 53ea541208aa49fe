using Azure.Identity;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Producer;
using Microsoft.Extensions.Azure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace PaymentPlatform.Streaming.EventHubs.Client;

/// <summary>Registers the clients of the hub.</summary>
internal static class EventHubsExtensions
{
    /// <summary>The Azure SDK's activities; without this switch it makes none.</summary>
    private const string TracingSwitch = "Azure.Experimental.EnableActivitySource";

    /// <summary>The producer, its health check and its tracing by Aspire's integration; the receivers by the SDK, since there is one for each owned partition.</summary>
    public static void AddHubClient(this IHostApplicationBuilder builder, HubAddress address)
    {
        if (!AppContext.TryGetSwitch(TracingSwitch, out _))
            AppContext.SetSwitch(TracingSwitch, true);
        var credential = new DefaultAzureCredential();
        builder.AddAzureEventHubProducerClient(
            HubAddress.ConnectionName,
            settings =>
            {
                settings.EventHubName = address.Hub;
                settings.Credential = credential;
                settings.ConnectionString = address.ConnectionString;
                settings.FullyQualifiedNamespace = address.ConnectionString is null ? address.Namespace : null;
            },
            client => client.ConfigureOptions(SetRetries));
        builder.Services.AddSingleton<HubClient>(services => new SdkHubClient(services.GetRequiredService<EventHubProducerClient>(), address, credential));
    }

    /// <summary>All tries together stay below the publisher's own limit.</summary>
    public static void SetRetries(EventHubProducerClientOptions options) => options.RetryOptions = new EventHubsRetryOptions
    {
        MaximumRetries = 3,
        TryTimeout = TimeSpan.FromSeconds(15),
        MaximumDelay = TimeSpan.FromSeconds(5),
    };
}

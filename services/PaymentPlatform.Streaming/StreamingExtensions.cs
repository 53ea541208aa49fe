using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PaymentPlatform.Streaming;
using PaymentPlatform.Streaming.EventHubs;
using PaymentPlatform.Streaming.Kafka;
using PaymentPlatform.Streaming.Leasing;
using PaymentPlatform.Streaming.Postgres;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers the stream.</summary>
public static class StreamingExtensions
{
    private static readonly string[] s_transports = ["Postgres", KafkaStream.Transport, EventHubsTransport.Name];

    /// <summary>
    /// Section <c>Streaming</c>, whose <c>Transport</c> is chosen here: <see cref="MessagePublisher"/> (masks card data), <see cref="MessageConsumerFactory"/>, <see cref="StreamTopology"/>, <see cref="StreamTargets"/>, <see cref="StreamingTelemetry"/>.
    /// Brings the storage along. Calling it again changes nothing.
    /// </summary>
    public static IHostApplicationBuilder AddStreaming(this IHostApplicationBuilder builder)
    {
        if (builder.Services.Any(s => s.ServiceType == typeof(StreamingTelemetry)))
            return builder;

        builder.AddHybridStorage();
        builder.Services.AddCheckedOptions<StreamingOptions>(StreamingOptions.Section)
            .Validate(options => IsKnown(options.Transport), Unknown(builder.Configuration[$"{StreamingOptions.Section}:{nameof(StreamingOptions.Transport)}"]));
        builder.Services.AddSingleton<StreamingTelemetry>();
        builder.Services.AddSingleton<StreamOutage>();
        builder.AddTransport();
        builder.GuardCardData();
        return builder;
    }

    /// <summary>For a publisher whose messages hold no card data, or may: ingest has looked at each event already.</summary>
    public static MessagePublisher GetInspectedPublisher(this IServiceProvider services) =>
        services.GetKeyedService<MessagePublisher>(MaskingPublisher.Inspected) ?? services.GetRequiredService<MessagePublisher>();

    private static void GuardCardData(this IHostApplicationBuilder builder)
    {
        var transport = builder.Services.Last(s => s.ServiceType == typeof(MessagePublisher));
        builder.Services.Remove(transport);
        builder.Services.AddKeyedSingleton(MaskingPublisher.Inspected, (services, _) => (MessagePublisher)ActivatorUtilities.CreateInstance(services, transport.ImplementationType!));
        builder.Services.AddSingleton(services => MaskingPublisher.Guard(services.GetInspectedPublisher(), builder.Configuration, services.GetRequiredService<TimeProvider>()));
    }

    private static void AddTransport(this IHostApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<StreamSignals>();
        builder.Services.AddSingleton<StreamRetention>();
        builder.Services.AddHostedService<StreamRetentionService>();
        var options = new StreamingOptions();
        builder.Configuration.GetSection(StreamingOptions.Section).Bind(options);
        if (KafkaStream.Transport.Equals(options.Transport, StringComparison.OrdinalIgnoreCase))
        {
            builder.AddKafkaStream();
            return;
        }

        var isEventHubs = EventHubsTransport.Name.Equals(options.Transport, StringComparison.OrdinalIgnoreCase);
        var fault = isEventHubs ? EventHubsTransport.TryAdd(builder, options.Stream) : null;
        if (isEventHubs && fault is null)
            return;
        // What is wrong is reported by the options' validation; until then nothing of a transport is asked for.
        if (fault is not null)
            builder.Services.AddOptions<StreamingOptions>().Validate(_ => false, fault);
        builder.AddPostgresStream();
    }

    private static void AddPostgresStream(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<PostgresStreamTopology>();
        builder.Services.AddSingleton<StreamTopology>(provider => provider.GetRequiredService<PostgresStreamTopology>());
        builder.Services.AddSingleton<MessagePublisher, PostgresMessagePublisher>();
        builder.Services.AddSingleton<StreamTargets, PostgresStreamTargets>();
        builder.Services.AddSingleton<MessageConsumerFactory, PostgresMessageConsumerFactory>();
        builder.Services.AddSingleton<StreamRangeReader, PostgresStreamRangeReader>();
        builder.Services.AddSingleton<PostgresStreamAdmin>();
    }

    private static bool IsKnown(string? transport) => s_transports.Contains(transport, StringComparer.OrdinalIgnoreCase);

    private static string Unknown(string? transport) => $"Streaming:Transport is '{transport}': choose one of {string.Join(", ", s_transports)}.";
}

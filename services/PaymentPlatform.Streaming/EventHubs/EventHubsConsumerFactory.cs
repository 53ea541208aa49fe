using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Streaming.Leasing;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>Registers the group and makes its consumers. The hub must have a consumer group of that name.</summary>
internal sealed class EventHubsConsumerFactory(
    HubClient hub, HubLog log, EventHubsTopology topology, NpgsqlDataSource database, StreamSignals signals, IOptions<StreamingOptions> options, StreamingTelemetry telemetry, TimeProvider timeProvider, ILoggerFactory loggers)
    : MessageConsumerFactory
{
    /// <inheritdoc/>
    /// <exception cref="StreamUnavailableException">The hub or the database can't be reached.</exception>
    public override async ValueTask<MessageConsumer> CreateAsync(string consumerGroup, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(consumerGroup);
        await topology.EnsureAsync(cancellationToken);
        try
        {
            await PartitionLeases.RegisterAsync(database, consumerGroup, options.Value.Stream, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw topology.Unavailable(e);
        }

        return new EventHubsConsumer(hub, log, database, signals, consumerGroup, options.Value, telemetry, timeProvider, loggers.CreateLogger<EventHubsConsumer>());
    }
}

using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Streaming.Leasing;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>
/// A consumer group's share of a hub: partitions by leases in the database, start positions from our checkpoints (an offset is a sequence number), nothing ever written to a broker's checkpoint store.
/// </summary>
internal sealed class EventHubsConsumer(
    HubClient hub, HubLog log, NpgsqlDataSource database, StreamSignals signals, string group, StreamingOptions options, StreamingTelemetry telemetry, TimeProvider timeProvider, ILogger logger)
    : LeasedMessageConsumer(
        database, signals, group, NewOwner(timeProvider), options, telemetry, timeProvider, logger, target => new HubLogReader(hub, log, group, target, timeProvider, logger));

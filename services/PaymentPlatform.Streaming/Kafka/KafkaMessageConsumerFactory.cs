using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Streaming.Brokers;
using PaymentPlatform.Streaming.Leasing;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Registers the group and makes its consumers.</summary>
internal sealed class KafkaMessageConsumerFactory(
    KafkaConnection connection, KafkaLog log, KafkaStreamTopology topology, BrokerLog mirror, NpgsqlDataSource database, IOptions<StreamingOptions> options,
    StreamingTelemetry telemetry, TimeProvider timeProvider, ILoggerFactory loggers)
    : MessageConsumerFactory
{
    /// <inheritdoc/>
    /// <exception cref="StreamUnavailableException">Brokers or database can't be reached.</exception>
    public override async ValueTask<MessageConsumer> CreateAsync(string consumerGroup, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(consumerGroup);
        var known = await topology.GetAsync(cancellationToken);
        var stream = options.Value.Stream;
        try
        {
            await mirror.ObserveAsync(known.LogId, known.Partitions, [], cancellationToken);
            await PartitionLeases.RegisterAsync(database, consumerGroup, stream, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            throw new StreamUnavailableException($"The group '{consumerGroup}' can't be registered in the database: {e.Message.TrimEnd('.')} (connection string 'paymentsdb').", e);
        }

        var owner = string.Create(CultureInfo.InvariantCulture, $"{timeProvider.GetUtcNow():yyyyMMdd'T'HHmmss.fffffff}-{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}");
        return new KafkaMessageConsumer(
            connection, log, topology, mirror, new PartitionLeases(database, consumerGroup, stream, owner, options.Value.LeaseDuration), consumerGroup, owner, options.Value, telemetry, timeProvider,
            loggers.CreateLogger<KafkaMessageConsumer>());
    }
}

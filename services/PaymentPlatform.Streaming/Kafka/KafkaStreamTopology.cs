using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Makes the topic when it is missing, if the brokers allow it.</summary>
internal sealed partial class KafkaStreamTopology(
    KafkaConnection connection, KafkaLog log, IOptions<KafkaOptions> options, IOptions<StreamingOptions> streaming, TimeProvider timeProvider, ILogger<KafkaStreamTopology> logger) : StreamTopology
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    public override async ValueTask EnsureAsync(CancellationToken cancellationToken) => await GetAsync(cancellationToken);

    /// <exception cref="StreamUnavailableException"/>
    public async ValueTask<KafkaLogInfo> GetAsync(CancellationToken cancellationToken)
    {
        if (await log.ReadAsync(cancellationToken) is { } there)
            return there;
        await CreateAsync(cancellationToken);
        // The brokers tell each other in their own time.
        for (var began = timeProvider.GetTimestamp(); timeProvider.GetElapsedTime(began) < s_timeout;)
        {
            if (await log.ReadAsync(cancellationToken) is { } made)
                return made;
            await Task.Delay(TimeSpan.FromMilliseconds(100), timeProvider, cancellationToken);
        }

        throw connection.Unavailable($"the topic '{streaming.Value.Stream}' does not appear");
    }

    private async Task CreateAsync(CancellationToken cancellationToken)
    {
        var topic = streaming.Value.Stream;
        var specification = new TopicSpecification
        {
            Name = topic,
            NumPartitions = streaming.Value.Partitions,
            ReplicationFactor = options.Value.ReplicationFactor,
            Configs = new()
            {
                // The arrival time is the stream's, not a producer's.
                ["message.timestamp.type"] = "LogAppendTime",
                ["max.message.bytes"] = (connection.Settings.MaxBodySize + (2 * KafkaSettings.MaxIdentitySize)).ToString(CultureInfo.InvariantCulture),
            },
        };
        try
        {
            try
            {
                await SendAsync(specification, cancellationToken);
            }
            catch (CreateTopicsException e) when (e.Results[0].Error.Code is ErrorCode.InvalidConfig or ErrorCode.PolicyViolation)
            {
                // Event Hubs knows few of a topic's settings.
                specification.Configs = null;
                await SendAsync(specification, cancellationToken);
            }

            LogCreated(logger, topic, streaming.Value.Partitions);
        }
        catch (CreateTopicsException e)
        {
            if (e.Results[0].Error.Code != ErrorCode.TopicAlreadyExists)
                throw Refused(e.Results[0].Error, e);
        }
        catch (KafkaException e)
        {
            throw Refused(e.Error, e);
        }

        StreamUnavailableException Refused(Error error, Exception inner) =>
            connection.Unavailable($"there is no topic '{topic}', and it can't be made ({error.Reason.TrimEnd('.')}); make it, or allow the platform to", inner);
    }

    private Task SendAsync(TopicSpecification specification, CancellationToken cancellationToken) =>
        connection.Admin.CreateTopicsAsync([specification], new() { RequestTimeout = s_timeout, OperationTimeout = s_timeout }).WaitAsync(cancellationToken);

    [LoggerMessage(Level = LogLevel.Information, Message = "Made the topic {Topic} with {Partitions} partitions")]
    private static partial void LogCreated(ILogger logger, string topic, int partitions);
}

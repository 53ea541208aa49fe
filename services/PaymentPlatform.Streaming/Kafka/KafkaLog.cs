using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Streaming.Brokers;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>
/// Which log stands behind the topic's name, and where its partitions begin and end. The log's id is the topic's id. A broker that knows none gets an id from its cluster and the topic's name, which does not tell
/// a topic made anew from the old one; once in use it stays, so that a broker that learns to answer does not make the events count again.
/// Where a log turns out to be shorter than what was read of it, the id gets a number behind it (<c>~2</c>), kept in the database's mirror.
/// </summary>
internal sealed partial class KafkaLog(KafkaConnection connection, NpgsqlDataSource database, BrokerLog mirror, IOptions<StreamingOptions> options, ILogger<KafkaLog> logger)
{
    private const string FallbackPrefix = "cluster-";
    private const char Renewal = '~';

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_offsetsTimeout = TimeSpan.FromSeconds(3);

    private readonly string _topic = options.Value.Stream;
    private int _saidFallback;

    /// <returns>Null when there is no such topic.</returns>
    /// <exception cref="StreamUnavailableException">Brokers or database can't be reached.</exception>
    public async Task<KafkaLogInfo?> ReadAsync(CancellationToken cancellationToken)
    {
        var stored = await ReadMirrorAsync(cancellationToken);
        var info = stored is not null && stored.StartsWith(FallbackPrefix, StringComparison.Ordinal)
            ? await FallBackAsync("it was chosen when the topic was first read", cancellationToken)
            : await DescribeAsync(isNew: stored is null, cancellationToken);
        return info is not null && stored is not null && IsRenewalOf(stored, info.LogId) ? info with { LogId = stored } : info;
    }

    /// <summary>Makes the log that was known by this id a new one, unless that has happened.</summary>
    public async Task RenewAsync(string logId, int partitions, CancellationToken cancellationToken)
    {
        if (await ReadMirrorAsync(cancellationToken) is { } stored && stored != logId)
            return;
        var mark = logId.LastIndexOf(Renewal);
        var number = mark < 0 ? 2 : int.Parse(logId.AsSpan(mark + 1), CultureInfo.InvariantCulture) + 1;
        await mirror.ObserveAsync(string.Create(CultureInfo.InvariantCulture, $"{(mark < 0 ? logId : logId[..mark])}{Renewal}{number}"), partitions, [], cancellationToken);
    }

    /// <summary>Where the partitions begin and end.</summary>
    /// <exception cref="KafkaException"/>
    public async Task<Dictionary<int, ObservedPartition>> ReadOffsetsAsync(IReadOnlyCollection<int> partitions, CancellationToken cancellationToken)
    {
        if (partitions.Count == 0)
            return [];
        var first = ListAsync(OffsetSpec.Earliest());
        var next = ListAsync(OffsetSpec.Latest());
        await Task.WhenAll(first, next).WaitAsync(cancellationToken);
        return partitions.ToDictionary(p => p, p => new ObservedPartition(p, (first.Result)[p], Math.Max(first.Result[p], next.Result[p])));

        async Task<Dictionary<int, long>> ListAsync(OffsetSpec spec)
        {
            var result = await connection.Admin.ListOffsetsAsync(
                partitions.Select(p => new TopicPartitionOffsetSpec { TopicPartition = new(_topic, p), OffsetSpec = spec }), new() { RequestTimeout = s_offsetsTimeout });
            return result.ResultInfos.ToDictionary(r => r.TopicPartitionOffsetError.Partition.Value, r => r.TopicPartitionOffsetError.Offset.Value);
        }
    }

    private async Task<KafkaLogInfo?> DescribeAsync(bool isNew, CancellationToken cancellationToken)
    {
        try
        {
            var found = await connection.Admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([_topic]), new() { RequestTimeout = s_timeout }).WaitAsync(cancellationToken);
            var topic = found.TopicDescriptions[0];
            return topic.TopicId is { } id && (id.MostSignificantBits | id.LeastSignificantBits) != 0
                ? new(id.ToString().Replace('+', '-').Replace('/', '_'), topic.Partitions.Count)
                : await FallBackAsync("the brokers give topics no ids", cancellationToken);
        }
        catch (DescribeTopicsException e)
        {
            var error = e.Results.TopicDescriptions[0].Error;
            return IsMissing(error.Code) ? null : throw connection.Unavailable(error.Reason, e);
        }
        catch (KafkaException e) when (e.Error.Code == ErrorCode.Local_UnsupportedFeature)
        {
            return await FallBackAsync("the brokers can't describe topics", cancellationToken);
        }
        catch (KafkaException e) when (isNew && e.Error.Code is ErrorCode.Local_TimedOut)
        {
            // No controller answers. Only where no id is in use yet may that mean that there never is one.
            return await FallBackAsync("the brokers don't describe topics", cancellationToken);
        }
        catch (KafkaException e)
        {
            throw connection.Unavailable(e.Error.Reason, e);
        }
    }

    private async Task<KafkaLogInfo?> FallBackAsync(string why, CancellationToken cancellationToken)
    {
        try
        {
            var (topic, cluster) = await Task.Run(
                () => (connection.Admin.GetMetadata(_topic, s_timeout).Topics.FirstOrDefault(t => t.Topic == _topic), connection.Admin.ClusterId(s_timeout)), cancellationToken);
            if (topic is null || IsMissing(topic.Error.Code))
                return null;
            if (topic.Error.IsError || topic.Partitions.Count == 0 || cluster is null)
                throw connection.Unavailable(topic.Error.IsError ? topic.Error.Reason : "the brokers don't describe the topic yet");
            var info = new KafkaLogInfo($"{FallbackPrefix}{cluster}-{_topic}", topic.Partitions.Count);
            if (Interlocked.Exchange(ref _saidFallback, 1) == 0)
                LogFallback(logger, _topic, info.LogId, why);
            return info;
        }
        catch (KafkaException e)
        {
            throw connection.Unavailable(e.Error.Reason, e);
        }
    }

    private async Task<string?> ReadMirrorAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var command = database.CreateCommand("SELECT log_id FROM stream_logs WHERE stream = $1 AND transport = $2");
            command.Parameters.Add(new() { Value = _topic });
            command.Parameters.Add(new() { Value = KafkaStream.Transport });
            return (string?)await command.ExecuteScalarAsync(cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            throw new StreamUnavailableException($"The mirror of the stream '{_topic}' can't be read in the database: {e.Message.TrimEnd('.')} (connection string 'paymentsdb').", e);
        }
    }

    private static bool IsRenewalOf(string stored, string logId) =>
        stored.Length > logId.Length + 1 && stored[logId.Length] == Renewal && stored.StartsWith(logId, StringComparison.Ordinal);

    internal static bool IsMissing(ErrorCode code) => code is ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.UnknownTopicId;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The topic {Topic} is known as {LogId}, made from its cluster and its name: {Why}. A topic that is deleted and made anew is only noticed when it is shorter than what was read.")]
    private static partial void LogFallback(ILogger logger, string topic, string logId, string why);
}

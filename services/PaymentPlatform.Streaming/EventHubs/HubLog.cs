using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Streaming.Brokers;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>Which log the hub holds now, and its mirror in the database. One in a process; whoever asks within <see cref="Freshness"/> shares the answer.</summary>
internal sealed partial class HubLog(HubClient hub, NpgsqlDataSource database, IOptions<StreamingOptions> options, TimeProvider timeProvider, ILogger<HubLog> logger)
{
    public const string Transport = "EventHubs";

    /// <summary>The service takes some fifty questions a second and namespace, of all its clients together.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);

    /// <summary>A log that seems to have lost events is looked at again after so long, before it counts as another one.</summary>
    private static readonly TimeSpan s_doubt = TimeSpan.FromSeconds(1);

    private readonly BrokerLog _mirror = new(database, options.Value.Stream, Transport);
    private readonly SemaphoreSlim _mutex = new(1, 1);
    private string? _logId;
    private long _observedAt;

    /// <summary>Asks the hub, and brings the mirror up to date.</summary>
    /// <param name="isPressing">True to ask again however fresh the last answer is.</param>
    /// <returns>The log's id.</returns>
    /// <exception cref="HubException"/>
    /// <exception cref="NpgsqlException">The database can't be reached.</exception>
    /// <exception cref="StreamUnavailableException">The stream's name belongs to another transport in this database.</exception>
    public async Task<string> ObserveAsync(bool isPressing, CancellationToken cancellationToken)
    {
        await _mutex.WaitAsync(cancellationToken);
        try
        {
            if (!isPressing && _logId is { } fresh && timeProvider.GetElapsedTime(_observedAt) < Freshness)
                return fresh;
            var (known, logId, partitions) = await LookAsync(cancellationToken);
            if (known.LogId is { } before && before != logId && known.IsSameHub)
            {
                await Task.Delay(s_doubt, timeProvider, cancellationToken);
                (known, logId, partitions) = await LookAsync(cancellationToken);
            }

            await _mirror.ObserveAsync(logId, partitions.Length, [.. partitions.Select((p, i) => new ObservedPartition(i, p.FirstOffset, p.NextOffset))], cancellationToken);
            if (_logId != logId)
                LogFound(logger, hub.Address.ToString(), partitions.Length, logId);
            _observedAt = timeProvider.GetTimestamp();
            return _logId = logId;
        }
        finally
        {
            _mutex.Release();
        }
    }

    /// <summary>The database first: a log only grows, so what is less at the hub afterwards is another log.</summary>
    private async Task<((string? LogId, bool IsSameHub) Known, string LogId, HubPartition[] Partitions)> LookAsync(CancellationToken cancellationToken)
    {
        var (known, positions) = await PositionsAsync(cancellationToken);
        var properties = await hub.GetPropertiesAsync(cancellationToken);
        var partitions = await Task.WhenAll(Enumerable.Range(0, properties.Partitions).Select(i => hub.GetPartitionAsync(i, cancellationToken)));
        var logId = HubLogId.Decide(known, positions, properties.CreatedOn, partitions);
        return ((known, known is not null && HubLogId.BelongsTo(known, properties.CreatedOn)), logId, partitions);
    }

    private async Task<(string? Known, Dictionary<string, IReadOnlyDictionary<int, long>> Positions)> PositionsAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT s.log_id, s.partition_id, max(s.next_offset), EXISTS (SELECT 1 FROM stream_logs l WHERE l.stream = $1 AND l.log_id = s.log_id)
            FROM (
                SELECT log_id, partition_id, next_offset FROM stream_checkpoints WHERE stream = $1
                UNION ALL
                SELECT p.log_id, p.partition_id, p.next_offset FROM stream_partitions p JOIN stream_logs l USING (log_id) WHERE l.stream = $1
            ) s GROUP BY s.log_id, s.partition_id
            """;
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = options.Value.Stream });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        string? known = null;
        var positions = new Dictionary<string, IReadOnlyDictionary<int, long>>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var logId = reader.GetString(0);
            if (!positions.TryGetValue(logId, out var partitions))
                positions[logId] = partitions = new Dictionary<int, long>();
            ((Dictionary<int, long>)partitions)[reader.GetInt32(1)] = reader.GetInt64(2);
            if (reader.GetBoolean(3))
                known = logId;
        }

        return (known, positions);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The {Hub} has {Partitions} partitions; its log is {LogId}")]
    private static partial void LogFound(ILogger logger, string hub, int partitions, string logId);
}

using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Streaming.Brokers;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>
/// Sends a call's messages in batches, one partition's one after the other, so that messages of one key keep their order; different partitions at the same time.
/// A key's partition is the one that the service itself would choose (<see cref="HubPartitioner"/>); a call's messages without a key all go to one partition, the next one call by call.
/// </summary>
internal sealed partial class EventHubsPublisher(
    HubClient hub, EventHubsTopology topology, NpgsqlDataSource database, StreamingTelemetry telemetry, TimeProvider timeProvider, ILogger<EventHubsPublisher> logger)
    : BrokerPublisher(database, timeProvider)
{
    /// <summary>Of the body, where the hub's own limit is not known yet. That limit counts everything else, too.</summary>
    private const int MaxBodyBytes = 1 << 20;

    /// <summary>Below <see cref="BrokerPublisher.ClaimDuration"/>: nobody else begins the same claim while a send is under way.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan s_partitionsFreshness = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _timeProvider = timeProvider;
    private int _partitions;
    private long _partitionsAt;
    private int _call;

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override void CheckSizes(ReadOnlySpan<Message> messages)
    {
        for (var i = 0; i < messages.Length; i++)
        {
            if (messages[i].Body.Length > MaxBodyBytes)
                throw new MessageTooLargeException(messages[i].Body.Length, MaxBodyBytes, i);
        }
    }

    protected override async Task SendAsync(ReadOnlyMemory<Message> messages, ReadOnlyMemory<MessageIdentity> identities, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CheckSizes(messages.Span);
        using var activity = telemetry.Activities.StartActivity("stream append", ActivityKind.Producer);
        using var limit = new CancellationTokenSource(s_limit, _timeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var began = _timeProvider.GetTimestamp();
        var batches = new List<List<HubBatch>>();
        try
        {
            await PackAsync(messages, identities, batches, linked.Token);
            await Task.WhenAll(batches.Select(partition => SendInOrderAsync(partition, linked.Token)));
            var elapsed = _timeProvider.GetElapsedTime(began);
            telemetry.Appended(messages.Length, BytesOf(messages.Span), batches.Sum(p => p.Sum(b => b.Bytes)), elapsed);
            LogSent(logger, messages.Length, batches.Sum(p => p.Count), elapsed.TotalMilliseconds);
        }
        catch (Exception e) when (e is HubException || (e is OperationCanceledException && limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested))
        {
            var failure = topology.Unavailable(e as HubException ?? new HubException(HubFault.Transient, $"the send took more than {s_limit.TotalSeconds} s", e));
            activity?.SetStatus(ActivityStatusCode.Error, failure.Message);
            telemetry.AppendFailed();
            LogFailed(logger, messages.Length, failure.Message);
            throw failure;
        }
        finally
        {
            foreach (var batch in batches.SelectMany(p => p))
                batch.Dispose();
        }
    }

    /// <summary>All batches before the first one is sent: a message that fits in none must leave nothing behind.</summary>
    private async Task PackAsync(ReadOnlyMemory<Message> messages, ReadOnlyMemory<MessageIdentity> identities, List<List<HubBatch>> batches, CancellationToken cancellationToken)
    {
        var partitions = await PartitionsAsync(cancellationToken);
        var byPartition = Distribute(messages.Span, partitions);
        for (var partition = 0; partition < byPartition.Length; partition++)
        {
            if (byPartition[partition] is not { } places)
                continue;
            var packed = new List<HubBatch>();
            batches.Add(packed);
            foreach (var place in places)
            {
                var message = messages.Span[place];
                var identity = identities.IsEmpty ? default : identities.Span[place];
                if (packed.Count > 0 && packed[^1].TryAdd(message, identity))
                    continue;
                var batch = await hub.CreateBatchAsync(partition, cancellationToken);
                packed.Add(batch);
                if (!batch.TryAdd(message, identity))
                    throw new MessageTooLargeException(message.Body.Length, (int)Math.Min(batch.MaxBytes, int.MaxValue), place);
            }
        }
    }

    private List<int>?[] Distribute(ReadOnlySpan<Message> messages, int partitions)
    {
        var places = new List<int>?[partitions];
        var keyless = (int)((uint)Interlocked.Increment(ref _call) % (uint)partitions);
        for (var i = 0; i < messages.Length; i++)
        {
            ref readonly var message = ref messages[i];
            (places[message.PartitionKey.IsEmpty ? keyless : HubPartitioner.PartitionOf(message.PartitionKey.Span, partitions)] ??= []).Add(i);
        }

        return places;
    }

    private async Task SendInOrderAsync(List<HubBatch> batches, CancellationToken cancellationToken)
    {
        foreach (var batch in batches)
            await hub.SendAsync(batch, cancellationToken);
    }

    /// <summary>A hub may get more partitions while it is in use (Premium), never fewer.</summary>
    private async ValueTask<int> PartitionsAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _partitions) is var known and > 0 && _timeProvider.GetElapsedTime(Volatile.Read(ref _partitionsAt)) < s_partitionsFreshness)
            return known;
        var partitions = (await hub.GetPropertiesAsync(cancellationToken)).Partitions;
        Volatile.Write(ref _partitionsAt, _timeProvider.GetTimestamp());
        Volatile.Write(ref _partitions, partitions);
        return partitions;
    }

    private static long BytesOf(ReadOnlySpan<Message> messages)
    {
        var bytes = 0L;
        foreach (ref readonly var message in messages)
            bytes += message.Body.Length + message.MessageId.Length + message.CorrelationId.Length + message.PartitionKey.Length;
        return bytes;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Sent {Events} events in {Batches} batches in {Milliseconds} ms")]
    private static partial void LogSent(ILogger logger, int events, int batches, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sending {Events} events failed: {Fault}")]
    private static partial void LogFailed(ILogger logger, int events, string fault);
}

using System.Runtime.CompilerServices;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>Reads a span of the hub's log once more, beside the groups: as a non-exclusive reader of the group that every hub has, which no consumer of ours uses.</summary>
internal sealed class EventHubsRangeReader(HubClient hub, HubLog log, EventHubsTopology topology) : StreamRangeReader
{
    private const string Group = "$Default";
    private const int MostEvents = 500;
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(5);

    /// <summary>How often nothing may come although the log says that there is more.</summary>
    private const int Patience = 6;

    public override async IAsyncEnumerable<MessageBatch> ReadAsync(OffsetRange range, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var partition = range.Partition;
        var start = await RequireAsync(range, cancellationToken);
        await using var receiver = hub.OpenReceiver(Group, partition.PartitionId, start.After, isExclusive: false);
        var empty = 0;
        for (var next = range.From; next < range.To;)
        {
            var events = await ReceiveAsync(receiver, cancellationToken);
            if (events.Count == 0)
            {
                if (++empty == Patience)
                    throw new StreamUnavailableException($"Nothing of {partition} came after offset {next}, although the log ends at {range.To} or later. Try again later.");
                continue;
            }

            empty = 0;
            if (events[0].SequenceNumber != next)
                throw new StreamRangeGoneException($"The stream lost offset {next} of {partition} while it was being read: its retention has passed it.");
            var batch = new HubMessageBatch(partition, next, [.. events.Select(HubMessages.Read)]);
            next = batch.NextOffset;
            yield return batch;
        }
    }

    /// <exception cref="StreamRangeGoneException"/>
    private async Task<HubStart> RequireAsync(OffsetRange range, CancellationToken cancellationToken)
    {
        try
        {
            if (await log.ObserveAsync(isPressing: false, cancellationToken) != range.Partition.LogId)
                throw new StreamRangeGoneException($"The log of {range.Partition} is gone.");
            var held = await hub.GetPartitionAsync(range.Partition.PartitionId, cancellationToken);
            if (range.From < held.FirstOffset || range.To > held.NextOffset)
                throw new StreamRangeGoneException($"The stream holds offsets {held.FirstOffset} to {held.NextOffset} of {range.Partition}, not all of {range.From} to {range.To}.");
            return HubStart.For(range.From, held)!.Value;
        }
        catch (HubException e)
        {
            throw topology.Unavailable(e);
        }
    }

    private async Task<IReadOnlyList<HubEvent>> ReceiveAsync(HubReceiver receiver, CancellationToken cancellationToken)
    {
        try
        {
            return await receiver.ReceiveAsync(MostEvents, s_wait, cancellationToken);
        }
        catch (HubException e)
        {
            throw topology.Unavailable(e);
        }
    }
}

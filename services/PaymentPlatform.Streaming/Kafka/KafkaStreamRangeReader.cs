using System.Runtime.CompilerServices;
using Confluent.Kafka;
using Microsoft.Extensions.Options;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Reads a span of a partition with a consumer of its own, which joins no group.</summary>
internal sealed class KafkaStreamRangeReader(KafkaConnection connection, KafkaLog log, IOptions<StreamingOptions> options) : StreamRangeReader
{
    private const string Group = "range-reader";
    private const int MaxBytes = 2 << 20;
    private const int MaxMessages = 10_000;

    /// <summary>Nothing comes for so long: the brokers are away, or the rest of the range was deleted meanwhile.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(30);

    public override async IAsyncEnumerable<MessageBatch> ReadAsync(OffsetRange range, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await RequireAsync(range, cancellationToken);
        var (scratch, headers) = (new KafkaScratch(), new KafkaHeaderReader());
        using var consumer = connection.ConsumerBuilder(Group, options.Value.PrefetchBytesPerPartition, scratch).Build();
        var topicPartition = new TopicPartition(range.Partition.Stream, range.Partition.PartitionId);
        consumer.Assign(new TopicPartitionOffset(topicPartition, range.From));
        for (var next = range.From; next < range.To;)
        {
            var batch = new KafkaMessageBatch(range.Partition, next);
            try
            {
                await Task.Run(() => Fill(batch, range, consumer, scratch, headers, cancellationToken), cancellationToken);
            }
            catch
            {
                batch.Dispose();
                throw;
            }

            next = batch.NextOffset;
            yield return batch;
        }
    }

    private async Task RequireAsync(OffsetRange range, CancellationToken cancellationToken)
    {
        if (range.Partition.Stream != options.Value.Stream || await log.ReadAsync(cancellationToken) is not { } known || known.LogId != range.Partition.LogId || range.Partition.PartitionId >= known.Partitions)
            throw new StreamRangeGoneException($"The log of {range.Partition} is gone.");
        try
        {
            var (_, first, end) = (await log.ReadOffsetsAsync([range.Partition.PartitionId], cancellationToken))[range.Partition.PartitionId];
            if (range.From < first || range.To > end)
                throw new StreamRangeGoneException($"The stream holds offsets {first} to {end} of {range.Partition}, not all of {range.From} to {range.To}.");
        }
        catch (KafkaException e)
        {
            throw connection.Unavailable(e.Error.Reason, e);
        }
    }

    private void Fill(KafkaMessageBatch batch, OffsetRange range, IConsumer<KafkaBytes, KafkaBytes> consumer, KafkaScratch scratch, KafkaHeaderReader headers, CancellationToken cancellationToken)
    {
        var began = Environment.TickCount64;
        while (batch.NextOffset < range.To && batch.HeldBytes < MaxBytes && batch.Count < MaxMessages)
        {
            cancellationToken.ThrowIfCancellationRequested();
            scratch.Clear();
            ConsumeResult<KafkaBytes, KafkaBytes>? result;
            try
            {
                result = consumer.Consume(100);
            }
            catch (ConsumeException e) when (e.Error.Code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange)
            {
                throw new StreamRangeGoneException($"The stream lost offset {batch.NextOffset} of {range.Partition} while it was being read: its retention has passed it.");
            }
            catch (ConsumeException e) when (Environment.TickCount64 - began > s_silence.TotalMilliseconds)
            {
                throw connection.Unavailable(e.Error.Reason, e);
            }
            catch (ConsumeException)
            {
                continue;
            }

            if (result is null && Environment.TickCount64 - began > s_silence.TotalMilliseconds)
                throw connection.Unavailable($"offset {batch.NextOffset} of {range.Partition} does not come");
            if (result is null)
                continue;
            began = Environment.TickCount64;
            if (result.IsPartitionEOF || result.Offset.Value >= range.To)
                batch.SkipTo(result.IsPartitionEOF ? Math.Max(result.Offset.Value, batch.NextOffset) : range.To);
            else
                batch.Append(result, scratch, headers);
        }
    }
}

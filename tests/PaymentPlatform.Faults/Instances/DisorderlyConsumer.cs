using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PaymentPlatform.Faults.Proxies;
using PaymentPlatform.Faults.Scenarios;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Faults.Instances;

/// <summary>The service's own consumer, but that some batches come twice and some before the ones that precede them: what no transport should do, and a faulty one does.</summary>
internal sealed class DisorderlyConsumer(MessageConsumer inner, InstanceFaults faults) : MessageConsumer
{
    private static readonly TimeSpan LongestHold = TimeSpan.FromMilliseconds(100);

    private readonly List<MessageBatch> _again = [];
    private MessageBatch? _held;

    public override bool IsStopped => inner.IsStopped;

    public static void AddTo(IHostApplicationBuilder builder, InstanceFaults faults)
    {
        var factory = builder.Services.Last(s => s.ServiceType == typeof(MessageConsumerFactory)).ImplementationType!;
        builder.Services.AddSingleton<MessageConsumerFactory>(services => new Factory((MessageConsumerFactory)ActivatorUtilities.CreateInstance(services, factory), faults));
    }

    public override async ValueTask<ConsumerEvent?> ReadAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (_again is [var first, ..])
        {
            _again.RemoveAt(0);
            return new ConsumerEvent.Received(first);
        }

        // What is held back goes out even when nothing follows it.
        var next = await inner.ReadAsync(_held is not null && (timeout < TimeSpan.Zero || timeout > LongestHold) ? LongestHold : timeout, cancellationToken);
        switch (next)
        {
            case null when _held is { } held:
                _held = null;
                return new ConsumerEvent.Received(held);
            case ConsumerEvent.Received(var batch):
                return Disturb(batch, next);
            case ConsumerEvent.Assigned(var partition, _):
                Drop(partition);
                return next;
            case ConsumerEvent.Lost(var partition):
                Drop(partition);
                return next;
            case ConsumerEvent.Revoking(var partition):
                Drop(partition);
                return next;
            default:
                return next;
        }
    }

    public override ValueTask RewindAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        Drop(partition);
        return inner.RewindAsync(partition, cancellationToken);
    }

    public override void Hold(StreamPartition partition)
    {
        Drop(partition);
        inner.Hold(partition);
    }

    public override ValueTask ReleaseAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        Drop(partition);
        return inner.ReleaseAsync(partition, cancellationToken);
    }

    public override void Stop() => inner.Stop();

    public override ValueTask DisposeAsync()
    {
        foreach (var partition in _again.Append(_held).OfType<MessageBatch>().Select(b => b.Partition).ToArray())
            Drop(partition);
        return inner.DisposeAsync();
    }

    private ConsumerEvent? Disturb(MessageBatch batch, ConsumerEvent next)
    {
        if (_held?.Partition == batch.Partition)
        {
            _again.Add(_held);
            _held = null;
            return next;
        }

        switch (faults.NextDelivery())
        {
            case FaultKind.Redelivered:
                faults.Tally(FaultKind.Redelivered);
                _again.Add(new CopiedBatch(batch));
                return next;
            case FaultKind.DeliveredOutOfOrder when _held is null:
                faults.Tally(FaultKind.DeliveredOutOfOrder);
                _held = batch;
                return null;
            default:
                return next;
        }
    }

    /// <summary>No batch of an old position after this.</summary>
    private void Drop(StreamPartition partition)
    {
        foreach (var batch in _again.Where(b => b.Partition == partition).ToArray())
        {
            _again.Remove(batch);
            batch.Dispose();
        }

        if (_held?.Partition != partition)
            return;
        _held.Dispose();
        _held = null;
    }

    private sealed class Factory(MessageConsumerFactory inner, InstanceFaults faults) : MessageConsumerFactory
    {
        public override async ValueTask<MessageConsumer> CreateAsync(string consumerGroup, CancellationToken cancellationToken) =>
            new DisorderlyConsumer(await inner.CreateAsync(consumerGroup, cancellationToken), faults);
    }

    /// <summary>Outlives the original.</summary>
    private sealed class CopiedBatch(MessageBatch original) : MessageBatch
    {
        private readonly ReceivedMessage[] _messages = [.. original.Messages.ToArray().Select(Copy)];

        public override StreamPartition Partition { get; } = original.Partition;

        public override long FirstOffset { get; } = original.FirstOffset;

        public override long NextOffset { get; } = original.NextOffset;

        public override ReadOnlySpan<ReceivedMessage> Messages => _messages;

        public override long BodyBytes { get; } = original.BodyBytes;

        public override void Dispose()
        {
        }

        private static ReceivedMessage Copy(ReceivedMessage message) => message with
        {
            Message = message.Message with
            {
                Body = message.Message.Body.ToArray(), MessageId = message.Message.MessageId.ToArray(), CorrelationId = message.Message.CorrelationId.ToArray(), PartitionKey = message.Message.PartitionKey.ToArray(),
            },
        };
    }
}

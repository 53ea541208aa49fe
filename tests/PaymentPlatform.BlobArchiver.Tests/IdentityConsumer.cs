using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>A consumer as the brokers' transports have it: messages whose headers say so have an identity.</summary>
internal sealed class IdentityConsumer(MessageConsumer inner) : MessageConsumer
{
    public override bool IsStopped => inner.IsStopped;

    public static void AddTo(IHostApplicationBuilder builder)
    {
        var factory = builder.Services.Last(s => s.ServiceType == typeof(MessageConsumerFactory)).ImplementationType!;
        builder.Services.AddSingleton<MessageConsumerFactory>(services => new Factory((MessageConsumerFactory)ActivatorUtilities.CreateInstance(services, factory)));
    }

    public override async ValueTask<ConsumerEvent?> ReadAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        await inner.ReadAsync(timeout, cancellationToken) is { } next ? next is ConsumerEvent.Received(var batch) ? new ConsumerEvent.Received(new Batch(batch)) : next : null;

    public override ValueTask RewindAsync(StreamPartition partition, CancellationToken cancellationToken) => inner.RewindAsync(partition, cancellationToken);

    public override ValueTask ReleaseAsync(StreamPartition partition, CancellationToken cancellationToken) => inner.ReleaseAsync(partition, cancellationToken);

    public override void Stop() => inner.Stop();

    public override ValueTask DisposeAsync() => inner.DisposeAsync();

    private static MessageIdentity IdentityOf(MessageHeaders headers) => headers[HeaderNames.IdempotencyKey] is { } key
        ? new(Encoding.UTF8.GetBytes(key), long.Parse(headers[HeaderNames.IdempotencyIndex]!, CultureInfo.InvariantCulture))
        : default;

    private sealed class Factory(MessageConsumerFactory inner) : MessageConsumerFactory
    {
        public override async ValueTask<MessageConsumer> CreateAsync(string consumerGroup, CancellationToken cancellationToken) =>
            new IdentityConsumer(await inner.CreateAsync(consumerGroup, cancellationToken));
    }

    private sealed class Batch(MessageBatch inner) : MessageBatch
    {
        private readonly ReceivedMessage[] _messages = [.. inner.Messages.ToArray().Select(m => m with { Identity = IdentityOf(m.Message.Headers) })];

        public override StreamPartition Partition => inner.Partition;

        public override long FirstOffset => inner.FirstOffset;

        public override long NextOffset => inner.NextOffset;

        public override ReadOnlySpan<ReceivedMessage> Messages => _messages;

        public override long BodyBytes => inner.BodyBytes;

        public override void Dispose() => inner.Dispose();
    }
}

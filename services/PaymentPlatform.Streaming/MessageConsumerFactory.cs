namespace PaymentPlatform.Streaming;

/// <summary>Makes consumers of the configured transport.</summary>
public abstract class MessageConsumerFactory
{
    /// <param name="consumerGroup">Registered with the stream, so that retention waits for it.</param>
    public abstract ValueTask<MessageConsumer> CreateAsync(string consumerGroup, CancellationToken cancellationToken);
}

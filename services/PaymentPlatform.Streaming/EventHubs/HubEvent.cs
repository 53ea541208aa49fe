namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>An event as a hub delivers it.</summary>
/// <param name="Properties">The application properties; values of any AMQP type.</param>
internal sealed record HubEvent(
    long SequenceNumber, DateTimeOffset EnqueuedAt, ReadOnlyMemory<byte> Body, string? MessageId, string? CorrelationId, string? PartitionKey, IDictionary<string, object> Properties);

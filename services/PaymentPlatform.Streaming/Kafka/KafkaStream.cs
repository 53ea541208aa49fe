namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Names.</summary>
internal static class KafkaStream
{
    /// <summary>In <c>Streaming:Transport</c> and in the database's mirror.</summary>
    public const string Transport = "Kafka";
}

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>A key or a body in a <see cref="KafkaScratch"/>, good until its next message.</summary>
internal readonly record struct KafkaBytes(int Offset, int Length);

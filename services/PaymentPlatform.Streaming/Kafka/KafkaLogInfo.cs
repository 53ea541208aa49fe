namespace PaymentPlatform.Streaming.Kafka;

/// <summary>The topic's log as it is now.</summary>
/// <param name="LogId">The topic's id at the broker; see <see cref="KafkaLog"/> for what else it may be.</param>
/// <param name="Partitions">How many it has.</param>
internal sealed record KafkaLogInfo(string LogId, int Partitions);

namespace PaymentPlatform.Streaming.EventHubs;

/// <param name="CreatedOn">Names the log: a hub that was deleted and made again has another one.</param>
/// <param name="Partitions">How many; their ids are "0", "1", ….</param>
internal sealed record HubProperties(DateTimeOffset CreatedOn, int Partitions);

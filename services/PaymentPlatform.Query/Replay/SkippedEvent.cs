namespace PaymentPlatform.Query.Replay;

/// <summary>An event that was left out of a replay, since the target does not take one of its size.</summary>
/// <param name="MessageId">Its beginning, where it is long.</param>
/// <param name="Bytes">Of its body.</param>
public sealed record SkippedEvent(string MessageId, string StreamLogId, int StreamPartition, long StreamOffset, int Bytes);

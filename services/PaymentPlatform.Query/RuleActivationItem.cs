namespace PaymentPlatform.Query;

/// <summary>From this offset of the partition on, each event was seen by the version.</summary>
public sealed record RuleActivationItem(string Stream, string LogId, int PartitionId, long FromOffset);

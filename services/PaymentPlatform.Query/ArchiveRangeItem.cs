namespace PaymentPlatform.Query;

/// <summary>The offsets of a partition that a file holds: <c>[first_offset, next_offset)</c>.</summary>
public sealed record ArchiveRangeItem(string Stream, string LogId, int PartitionId, long FirstOffset, long NextOffset);

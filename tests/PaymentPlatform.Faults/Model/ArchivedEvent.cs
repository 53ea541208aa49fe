namespace PaymentPlatform.Faults.Model;

/// <summary>A row of a live file.</summary>
internal sealed record ArchivedEvent(int Partition, long Offset, long EnqueuedAtMicros, bool IsValid, bool IsDuplicate, byte[] Payload, string File);

namespace PaymentPlatform.Query.Audit;

/// <summary>Where an event is in a stream.</summary>
public sealed record AuditPosition(string Stream, string StreamLogId, int StreamPartition, long StreamOffset)
{
    public override string ToString() => $"{Stream} / {StreamLogId} / {StreamPartition} / {StreamOffset}";
}

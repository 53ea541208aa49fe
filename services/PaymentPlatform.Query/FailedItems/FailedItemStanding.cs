namespace PaymentPlatform.Query.FailedItems;

/// <summary>How far a dead letter has come.</summary>
/// <param name="Sha256">Of the payload that is being sent, or was; null where none is.</param>
internal sealed record FailedItemStanding(string Status, bool Sending, byte[]? Sha256)
{
    public bool HasSent(byte[] sha256) => Status == FailedItemStatus.Resubmitted && Sha256 is not null && sha256.AsSpan().SequenceEqual(Sha256);
}

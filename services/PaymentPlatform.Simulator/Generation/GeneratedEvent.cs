namespace PaymentPlatform.Simulator;

/// <summary>What was written; the places are bytes from the event's beginning.</summary>
/// <param name="Length">In bytes.</param>
/// <param name="Id">Where the transaction id stands; empty when it has none.</param>
/// <param name="Key">Where the stream's partition key stands: the customer id, else the transaction id; empty when it has neither.</param>
/// <param name="Pattern">What was planted.</param>
/// <param name="Group">Numbers the planted groups of events from 1; 0 for an event that is planted alone or not at all.</param>
public readonly record struct GeneratedEvent(int Length, Range Id, Range Key, ViolationPattern Pattern, long Group)
{
    /// <summary>False for an event that ingest refuses, which was made so on purpose.</summary>
    public bool IsValid => !ViolationPatterns.IsInvalid(Pattern);
}

using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>What happens to one statement or request.</summary>
/// <param name="After">Once the server has carried it out, before its answer passes; else before it arrives.</param>
/// <param name="Duration">Of a pause or a delay; how long others go on once they have done what a pause waits for.</param>
internal sealed record StepFault(FaultKind Kind, bool After, TimeSpan Duration)
{
    /// <summary>Others take the instance's place meanwhile; what it was about to commit comes late.</summary>
    public bool IsTakeover => Kind is FaultKind.StaleOwner or FaultKind.BlockedSuccessor;
}

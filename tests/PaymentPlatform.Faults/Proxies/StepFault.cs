using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>What happens to one statement or request.</summary>
/// <param name="After">Once the server has carried it out, before its answer passes; else before it arrives.</param>
/// <param name="Duration">Of a pause or a delay.</param>
internal sealed record StepFault(FaultKind Kind, bool After, TimeSpan Duration);

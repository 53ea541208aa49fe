namespace PaymentPlatform.Faults.Scenarios;

/// <summary>A fault at a moment.</summary>
/// <param name="At">Since the run's first event.</param>
/// <param name="Slot">Which of the role's instances; the one that runs there at that moment.</param>
/// <param name="Duration">Of a pause, a slow or a full database; how long others go on after a takeover; how far a clock jumps; how long a stopped or killed instance stays away.</param>
internal sealed record TimedFault(TimeSpan At, FaultKind Kind, InstanceRole Role, int Slot, TimeSpan Duration);

namespace PaymentPlatform.Faults.Scenarios;

/// <summary>How a run ends.</summary>
public enum FaultMode
{
    /// <summary>Faults until the last event is sent; then every instance is killed, and fresh ones finish the work.</summary>
    Safety,

    /// <summary>Faults stop at a moment; the instances that lived through them must drain by themselves within a bound.</summary>
    Liveness,
}

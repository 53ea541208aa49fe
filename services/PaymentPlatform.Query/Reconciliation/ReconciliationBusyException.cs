namespace PaymentPlatform.Query.Reconciliation;

/// <summary>A process checks once at a time.</summary>
public sealed class ReconciliationBusyException() : Exception("A reconciliation runs in this process already. Try again when it has ended, or ask for its range with a later call.");

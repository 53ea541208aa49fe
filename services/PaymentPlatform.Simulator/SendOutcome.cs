namespace PaymentPlatform.Simulator;

/// <summary>What became of a batch.</summary>
/// <param name="RejectedIndexes">Ascending; empty when all were accepted.</param>
internal readonly record struct SendOutcome(int Accepted, int Rejected, IReadOnlyList<int> RejectedIndexes);

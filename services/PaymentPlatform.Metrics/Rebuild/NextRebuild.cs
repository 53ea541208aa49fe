namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>A row of <c>metric_rebuilds</c> that is to be begun.</summary>
/// <param name="Attempt">As of now: 0 before the first.</param>
/// <param name="Faults">How many of its attempts ended in a fault that could pass.</param>
internal sealed record NextRebuild(long Id, int Attempt, int Faults);

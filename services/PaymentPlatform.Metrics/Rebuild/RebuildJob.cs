namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>A row of <c>metric_rebuilds</c> that this process has begun to work on.</summary>
/// <param name="From">Whole days, microseconds since the Unix epoch: the widest window that is kept is a day.</param>
/// <param name="Attempt">Counts up with each beginning: who finds another number has been overtaken.</param>
internal sealed record RebuildJob(long Id, int Attempt, long From, long To)
{
    public RebuildStaging Staging => new(Id, Attempt, From, To);
}

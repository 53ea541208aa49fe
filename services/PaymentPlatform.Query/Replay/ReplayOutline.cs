namespace PaymentPlatform.Query.Replay;

/// <summary>How much there is, as far as the manifest tells.</summary>
/// <param name="files">All that may hold the replay's events, by arrival.</param>
internal sealed class ReplayOutline(IReadOnlyList<ArchiveFile> files)
{
    /// <summary>
    /// All events of the replay: the share that the filter has let through of the files that are behind it goes for all. Of a file that it is in nothing is known, as events needn't be spread evenly over its time:
    /// the estimate is rather too high than too low, and without a filter right from the first file on.
    /// </summary>
    public long Estimate(ReplayPosition position)
    {
        var all = files.Sum(file => (double)file.Rows);
        var behind = position.After is { } last ? files.Where(file => file.Max <= last.Time).Sum(file => (double)file.Rows) : 0;
        var share = behind > 0 ? Math.Min(1, position.EventsPassed / behind) : 1;
        return Math.Max(position.EventsPassed, (long)Math.Ceiling(all * share));
    }
}

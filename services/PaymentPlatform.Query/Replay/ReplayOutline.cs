namespace PaymentPlatform.Query.Replay;

/// <summary>How much there is, as far as the manifest tells.</summary>
/// <param name="files">All that may hold the replay's events, by arrival.</param>
internal sealed class ReplayOutline(IReadOnlyList<ArchiveFile> files)
{
    /// <summary>All events of the replay: the share that the filter has let through so far goes for the rest too.</summary>
    public long Estimate(ReplayPosition position)
    {
        var (all, passed) = (0.0, 0.0);
        foreach (var file in files)
        {
            all += file.Rows;
            if (position.After is { } last)
                passed += file.Rows * Math.Clamp((last.Time - file.Min + 1.0) / (file.Max - file.Min + 1.0), 0, 1);
        }

        var share = passed > 0 ? Math.Min(1, position.EventsPassed / passed) : 1;
        return position.EventsPassed + (long)Math.Ceiling((all - passed) * share);
    }
}

namespace PaymentPlatform.Query;

/// <summary>
/// Cuts a time range into slices that are read one after the other, so that memory, disk and the files in use stay bounded whatever the range.
/// It cuts where files end: a late event stretches its file's beginning, never its end, so that ends follow arrival.
/// The sizes are estimates; what is answered does not depend on them.
/// </summary>
public static class ScanPlanner
{
    /// <summary>Large payloads make a slice heavy long before it has many rows.</summary>
    private const long MaxSliceBytes = 64 << 20;

    /// <param name="files">All files that overlap the range, in any order.</param>
    public static IEnumerable<ScanSlice> Plan(IReadOnlyList<ArchiveFile> files, long? from, long? to, QueryOptions options) =>
        Plan(files, from, to, options.SliceRows, options.SliceFiles, SliceBytes(options));

    /// <summary>For a query that finds a few rows only: however many rows the files have, nothing large is sorted.</summary>
    /// <param name="files">All files that may hold them, in any order.</param>
    public static IEnumerable<ScanSlice> PlanLookup(IReadOnlyList<ArchiveFile> files, QueryOptions options) =>
        Plan(files, null, null, int.MaxValue, options.SliceFiles, SliceBytes(options));

    /// <param name="files">All files that overlap the range, in any order.</param>
    /// <param name="from">Null: from the first event on.</param>
    /// <param name="to">Null: to the last event.</param>
    public static IEnumerable<ScanSlice> Plan(IReadOnlyList<ArchiveFile> files, long? from, long? to, int maxRows, int maxFiles, long maxBytes)
    {
        if (files.Count == 0)
            yield break;
        var byStart = files.ToArray();
        Array.Sort(byStart, (a, b) => a.Min.CompareTo(b.Min));
        var start = Math.Max(from ?? long.MinValue, byStart[0].Min);
        var end = Math.Min(to ?? long.MaxValue, files.Max(f => f.Max) + 1);
        var active = new List<ArchiveFile>();
        var next = 0;
        foreach (var cut in Cuts(files, start, end, maxRows, maxFiles, maxBytes))
        {
            for (; next < byStart.Length && byStart[next].Min < cut; next++)
                active.Add(byStart[next]);
            active.RemoveAll(f => f.Max < start);
            if (active.Count > 0)
                yield return new(start, cut, active.ToArray());
            start = cut;
        }
    }

    /// <summary>A slice's files are held together, and several queries share the cache.</summary>
    private static long SliceBytes(QueryOptions options) => Math.Clamp(options.CacheBytes / 8, 1, MaxSliceBytes);

    private static IEnumerable<long> Cuts(IReadOnlyList<ArchiveFile> files, long start, long end, int maxRows, int maxFiles, long maxBytes)
    {
        var byEnd = files.ToArray();
        Array.Sort(byEnd, (a, b) => a.Max.CompareTo(b.Max));
        long rows = 0, bytes = 0;
        var count = 0;
        for (var i = 0; i < byEnd.Length && start < end; i++)
        {
            rows += byEnd[i].Rows;
            bytes += byEnd[i].Bytes;
            count++;
            var last = i == byEnd.Length - 1;
            if (!last && ((rows < maxRows && bytes < maxBytes && count < maxFiles) || byEnd[i + 1].Max == byEnd[i].Max))
                continue;
            var cut = last ? end : Math.Min(end, byEnd[i].Max + 1);
            if (cut <= start)
                continue;
            // A file of many slices' rows (a compacted one) is read in parts of its time.
            var parts = (int)Math.Min(Math.Min(10_000, rows / maxRows), cut - start);
            for (var part = 1; part < parts; part++)
                yield return start + (long)((Int128)(cut - start) * part / parts);
            yield return cut;
            start = cut;
            rows = bytes = 0;
            count = 0;
        }
    }
}

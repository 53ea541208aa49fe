using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.BlobArchiver.Compaction;

/// <summary>
/// Which files become one. The files can be brought into an order in which each partition's offsets ascend from file to file; merging neighbours keeps it so.
/// Merging others would not: a rebuild could no longer read file after file.
/// </summary>
internal static class CompactionPlan
{
    /// <param name="files">All live files of the hour, and those between them in their partitions.</param>
    /// <param name="maxBytes">Of the merged file, about.</param>
    /// <returns>At least two files each, in order.</returns>
    public static List<List<MergeFile>> Of(IReadOnlyCollection<MergeFile> files, long maxBytes, long maxRows)
    {
        var batches = new List<List<MergeFile>>();
        var open = new List<MergeFile>();
        foreach (var file in InOrder(files))
        {
            if (!file.IsSmall || open.Sum(f => f.Bytes) + file.Bytes > maxBytes || open.Sum(f => f.Rows) + file.Rows > maxRows)
                Close();
            if (file.IsSmall)
                open.Add(file);
        }

        Close();
        return batches;

        void Close()
        {
            if (open.Count > 1)
                batches.Add(open);
            open = [];
        }
    }

    /// <summary>The files' ranges in key order, those that touch as one.</summary>
    public static List<OffsetRange> Ranges(IEnumerable<MergeFile> files)
    {
        var ranges = new List<OffsetRange>();
        foreach (var range in files.SelectMany(f => f.Ranges).OrderBy(r => r.Partition).ThenBy(r => r.From))
        {
            if (ranges.Count > 0 && ranges[^1].Partition == range.Partition && ranges[^1].To == range.From)
                ranges[^1] = ranges[^1] with { To = range.To };
            else
                ranges.Add(range);
        }

        return ranges;
    }

    /// <summary>Small files follow each other for as long as the order allows. Files that hold parts of each other's spans have no order and are left out, with all that comes after them.</summary>
    private static IEnumerable<MergeFile> InOrder(IReadOnlyCollection<MergeFile> files)
    {
        var edges = files.SelectMany(file => file.Ranges.Select(range => (File: file, Range: range)))
            .GroupBy(r => r.Range.Partition)
            .SelectMany(partition => partition.OrderBy(r => r.Range.From).Select(r => r.File).Pairwise())
            .Where(pair => pair.Earlier != pair.Later)
            .Distinct()
            .ToList();
        var followers = edges.ToLookup(e => e.Earlier, e => e.Later);
        var waitingFor = edges.CountBy(e => e.Later).ToDictionary();
        var (small, others) = (new PriorityQueue<MergeFile, Guid>(), new PriorityQueue<MergeFile, Guid>());
        foreach (var file in files.Where(f => !waitingFor.ContainsKey(f)))
            Queue(file);
        var ofSmall = true;
        while (small.Count + others.Count > 0)
        {
            if ((ofSmall ? small : others).Count == 0)
                ofSmall = !ofSmall;
            var file = (ofSmall ? small : others).Dequeue();
            foreach (var follower in followers[file])
            {
                if (--waitingFor[follower] == 0)
                    Queue(follower);
            }

            yield return file;
        }

        void Queue(MergeFile file) => (file.IsSmall ? small : others).Enqueue(file, file.FileId);
    }

    private static IEnumerable<(MergeFile Earlier, MergeFile Later)> Pairwise(this IEnumerable<MergeFile> files) => files.Zip(files.Skip(1));
}

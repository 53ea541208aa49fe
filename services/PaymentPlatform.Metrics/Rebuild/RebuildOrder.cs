using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>
/// Brings files into an order in which each partition's events come in the order of their offsets, as stateful rules need them. Files of one archiver follow each other;
/// those that hold parts of each other's spans (a file that was written again, or merged) are read together.
/// </summary>
internal static class RebuildOrder
{
    /// <returns>Groups, one after the other; within a group, events are to be sorted.</returns>
    public static List<List<RebuildFile>> Of(IReadOnlyCollection<RebuildFile> files)
    {
        // For each partition its ranges by offset: a file can be read once it is next in all its partitions.
        var queues = files.SelectMany(file => file.Ranges.Select(range => (File: file, Range: range)))
            .GroupBy(r => r.Range.Partition)
            .ToDictionary(g => g.Key, g => new Queue<RebuildFile>(g.OrderBy(r => r.Range.From).Select(r => r.File)));
        var remaining = new HashSet<RebuildFile>(files);
        var groups = new List<List<RebuildFile>>();
        while (remaining.Count > 0)
        {
            var ready = queues.Values.Where(q => q.Count > 0).Select(q => q.Peek()).Distinct().Where(file => IsNext(file, queues)).OrderBy(f => f.Id).ToList();
            if (ready.Count == 0)
            {
                groups.Add([.. remaining.OrderBy(f => f.Id)]);
                break;
            }

            foreach (var file in ready)
            {
                groups.Add([file]);
                remaining.Remove(file);
                foreach (var range in file.Ranges)
                    queues[range.Partition].Dequeue();
            }
        }

        return groups;
    }

    private static bool IsNext(RebuildFile file, Dictionary<StreamPartition, Queue<RebuildFile>> queues)
    {
        foreach (var ranges in file.Ranges.GroupBy(r => r.Partition))
        {
            // All of the file's ranges of a partition must come before anybody else's.
            if (queues[ranges.Key].Take(ranges.Count()).Any(next => next != file))
                return false;
        }

        return true;
    }
}

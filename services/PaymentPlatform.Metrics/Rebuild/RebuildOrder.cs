namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>
/// Brings files into an order in which each partition's events come in the order of their offsets, as stateful rules need them. Files of one archiver follow each other.
/// Those of several may each begin before the other ends (one partition's later part with another's earlier one, as partitions move): such a cycle is read together, and nothing else with it.
/// </summary>
internal static class RebuildOrder
{
    /// <param name="files">No two hold the same offset: the database sees to that.</param>
    /// <returns>Groups, one after the other: a file, or the files of a cycle, whose events are to be sorted.</returns>
    public static List<List<RebuildFile>> Of(IReadOnlyCollection<RebuildFile> files)
    {
        // Tarjan's strongly connected components over "must be read before": a component is complete once all before it are. Without recursion, as a chain is as long as the archive.
        RebuildFile[] ordered = [.. files.OrderBy(f => f.Id)];
        var before = Before(ordered);
        var groups = new List<List<RebuildFile>>();
        var (number, lowest, isGrouped) = (new int[ordered.Length], new int[ordered.Length], new bool[ordered.Length]);
        var open = new Stack<int>();
        var path = new Stack<(int File, int Next)>();
        var count = 0;
        for (var root = 0; root < ordered.Length; root++)
        {
            if (number[root] == 0)
                Enter(root);
            while (path.TryPop(out var step))
            {
                var (file, next) = step;
                if (next < before[file].Count)
                {
                    path.Push((file, next + 1));
                    var earlier = before[file][next];
                    if (number[earlier] == 0)
                        Enter(earlier);
                    else if (!isGrouped[earlier])
                        lowest[file] = Math.Min(lowest[file], number[earlier]);
                    continue;
                }

                if (path.TryPeek(out var later))
                    lowest[later.File] = Math.Min(lowest[later.File], lowest[file]);
                if (lowest[file] == number[file])
                    groups.Add(Take(file));
            }
        }

        return groups;

        void Enter(int file)
        {
            number[file] = lowest[file] = ++count;
            open.Push(file);
            path.Push((file, 0));
        }

        List<RebuildFile> Take(int last)
        {
            var group = new List<RebuildFile>();
            int file;
            do
            {
                file = open.Pop();
                isGrouped[file] = true;
                group.Add(ordered[file]);
            }
            while (file != last);
            return group;
        }
    }

    /// <returns>For each file those with the range right before one of its own.</returns>
    private static List<int>[] Before(RebuildFile[] files)
    {
        List<int>[] before = [.. files.Select(_ => new List<int>())];
        foreach (var partition in files.SelectMany((file, i) => file.Ranges.Select(range => (File: i, Range: range))).GroupBy(r => r.Range.Partition))
        {
            var last = -1;
            foreach (var (file, _) in partition.OrderBy(r => r.Range.From))
            {
                if (last >= 0 && last != file)
                    before[file].Add(last);
                last = file;
            }
        }

        return before;
    }
}

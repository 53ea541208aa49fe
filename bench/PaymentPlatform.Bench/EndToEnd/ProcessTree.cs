using System.Globalization;

namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>What a process has started, and what that has started, from Linux's /proc: the servers of others on the same machine are not counted.</summary>
internal static class ProcessTree
{
    private const int TicksPerSecond = 100;

    // Of /proc/PID/stat, counted from the state, which follows the name.
    private const int Parent = 1;
    private const int FirstTime = 11;
    private const int Times = 4;

    /// <summary>Processor time since their start, of children that have ended too, by the program's name.</summary>
    public static Dictionary<string, TimeSpan> ProcessorTimeOfChildren(int process)
    {
        var all = Directory.EnumerateDirectories("/proc").Select(Read).OfType<Entry>().ToLookup(entry => entry.Parent);
        var times = new Dictionary<string, TimeSpan>(StringComparer.Ordinal);
        var open = new Queue<Entry>(all[process]);
        while (open.TryDequeue(out var entry))
        {
            times[entry.Name] = times.GetValueOrDefault(entry.Name) + entry.Time;
            foreach (var child in all[entry.Id])
                open.Enqueue(child);
        }

        return times;
    }

    /// <returns>Null for what is no process, or has ended meanwhile.</returns>
    private static Entry? Read(string directory)
    {
        if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return null;
        try
        {
            var text = File.ReadAllText(Path.Combine(directory, "stat"));
            var (start, end) = (text.IndexOf('(') + 1, text.LastIndexOf(')'));
            var fields = text[(end + 2)..].Split(' ');
            var ticks = fields.Skip(FirstTime).Take(Times).Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
            return new(id, int.Parse(fields[Parent], CultureInfo.InvariantCulture), text[start..end], TimeSpan.FromSeconds((double)ticks / TicksPerSecond));
        }
        catch (IOException)
        {
            return null;
        }
    }

    private sealed record Entry(int Id, int Parent, string Name, TimeSpan Time);
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace PaymentPlatform.Faults.Instances;

/// <summary>What happened in a run, in order. Thread-safe.</summary>
internal sealed class RunLog
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ConcurrentQueue<string> _lines = new();

    public IEnumerable<string> Lines => _lines;

    public void Add(string who, string what) => _lines.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{_clock.Elapsed.TotalSeconds:00.000} {who}: {what}"));
}

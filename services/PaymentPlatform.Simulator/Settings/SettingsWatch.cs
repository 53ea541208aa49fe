namespace PaymentPlatform.Simulator;

/// <summary>
/// Takes in a changed settings file while the traffic goes on. It looks at the file twice a second, which works on every file system and through symbolic links, and reads it once it has stopped changing.
/// What can't be taken is reported, and the old settings stay.
/// </summary>
internal sealed class SettingsWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly string _file;
    private readonly Action<string> _report;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private (DateTime Written, long Length) _read;
    private (DateTime Written, long Length) _seen;
    private volatile SimulatorSettings _current;

    /// <param name="report">Gets one line for each change, taken or refused.</param>
    public SettingsWatch(string file, SimulatorSettings current, TimeProvider time, Action<string> report)
    {
        (_file, _current, _report) = (file, current, report);
        // Looked at again once, in case it changed since it was read.
        _read = default;
        _seen = Stamp(file);
        _timer = time.CreateTimer(_ => Look(), null, Interval, Interval);
    }

    public SimulatorSettings Current => _current;

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        lock (_lock)
        {
            var stamp = Stamp(_file);
            var isSettled = stamp == _seen;
            _seen = stamp;
            if (!isSettled || stamp == _read)
                return;
            var isFirst = _read == default;
            _read = stamp;
            Take(isFirst);
        }
    }

    private void Take(bool isFirst)
    {
        try
        {
            var next = SettingsReader.ReadFile(_file);
            if (isFirst && SettingsText.Of(next) == SettingsText.Of(_current))
                return;
            var later = SettingsText.NeedingRestart(_current, next);
            _current = next;
            _report(later.Count == 0 ? $"{_file} has changed: its settings are taken." : $"{_file} has changed: its settings are taken; {string.Join(", ", later)} from the next start on.");
        }
        catch (SettingsException exception)
        {
            _report($"{exception.Message} The old settings stay.");
        }
    }

    private static (DateTime Written, long Length) Stamp(string file)
    {
        try
        {
            // Through links: what a mounted configuration swaps is the link.
            var info = new FileInfo(file);
            var target = info.Exists ? info.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? info : info;
            if (target.Exists)
                return (target.LastWriteTimeUtc, target.Length);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // As good as gone: reading it says why.
        }

        return (DateTime.MaxValue, -1);
    }
}

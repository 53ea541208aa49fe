using Microsoft.Extensions.Logging;

namespace PaymentPlatform.Streaming;

/// <summary>
/// Says that the stream can't be reached: one line a process, however many of its parts find out, again every half minute while it lasts, and one line when it is over.
/// A broker that is away ends no start: in a cloud all parts start at once, and each must wait for the others.
/// </summary>
public sealed partial class StreamOutage(TimeProvider timeProvider, ILogger<StreamOutage> logger)
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private long? _said;
    private bool _isOut;

    /// <param name="fault">What is away and where it was looked for, as one sentence.</param>
    public void Report(string fault)
    {
        lock (_lock)
        {
            if (_said is { } last && timeProvider.GetElapsedTime(last) < s_quiet)
            {
                LogAgain(logger, fault);
                return;
            }

            _said = timeProvider.GetTimestamp();
            _isOut = true;
            LogUnavailable(logger, fault);
        }
    }

    /// <summary>The stream answered.</summary>
    public void Over()
    {
        // Called for each request: what is read without the lock may be a moment old.
        if (!Volatile.Read(ref _isOut))
            return;
        lock (_lock)
        {
            if (!_isOut)
                return;
            // When it was said last stays: one that comes and goes is not said more often.
            _isOut = false;
            LogOver(logger);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Fault} It is tried again until it answers")]
    private static partial void LogUnavailable(ILogger logger, string fault);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Fault} It is tried again")]
    private static partial void LogAgain(ILogger logger, string fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "The stream answers again")]
    private static partial void LogOver(ILogger logger);
}

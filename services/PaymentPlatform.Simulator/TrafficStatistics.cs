using System.Globalization;

namespace PaymentPlatform.Simulator;

/// <summary>Counts what went out and what came of it. Thread-safe.</summary>
/// <param name="tell">Gets a line when the target can't be reached, and again every <see cref="TellInterval"/> at most; null leaves it to <see cref="Progress"/>.</param>
internal sealed class TrafficStatistics(TimeProvider time, Action<string>? tell = null)
{
    public static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly LatencyHistogram _latency = new();
    private readonly long _started = time.GetTimestamp();
    private readonly long[] _planted = new long[ViolationPatterns.Count];
    private long _sent;
    private long _accepted;
    private long _rejected;
    private long _retries;
    private string? _lastFault;
    private bool _isAnswering;
    private long? _toldAt;
    private long _reportedAccepted;
    private long _reportedAt = time.GetTimestamp();

    public long Accepted => Interlocked.Read(ref _accepted);

    public long Rejected => Interlocked.Read(ref _rejected);

    /// <summary>Of what went out: whose answer has not come.</summary>
    public long Unacknowledged
    {
        get
        {
            lock (_lock)
                return _sent - _accepted - _rejected;
        }
    }

    /// <summary>Requests that had to be sent again.</summary>
    public long Retries
    {
        get
        {
            lock (_lock)
                return _retries;
        }
    }

    /// <summary>The longest that an answer took.</summary>
    public TimeSpan LargestLatency
    {
        get
        {
            lock (_lock)
                return _latency.Largest;
        }
    }

    /// <summary>Whether the last that was heard of the target is an outcome.</summary>
    public bool IsAnswering
    {
        get
        {
            lock (_lock)
                return _isAnswering;
        }
    }

    /// <summary>Of the next event, from 1.</summary>
    public long NextNumber
    {
        get
        {
            lock (_lock)
                return _sent + 1;
        }
    }

    public void Sent(EventBatch batch)
    {
        lock (_lock)
        {
            _sent += batch.Count;
            for (var i = 0; i < _planted.Length; i++)
                _planted[i] += batch.Planted[i];
        }
    }

    public void Took(in SendOutcome outcome)
    {
        lock (_lock)
        {
            _accepted += outcome.Accepted;
            _rejected += outcome.Rejected;
            _isAnswering = true;
        }
    }

    public void Answered(TimeSpan latency)
    {
        lock (_lock)
            _latency.Add(latency);
    }

    /// <summary>How long answers took; zero when there were none.</summary>
    public TimeSpan Latency(double quantile)
    {
        lock (_lock)
            return _latency.Quantile(quantile);
    }

    /// <summary>The target asked for another attempt.</summary>
    public void Retried(string fault)
    {
        lock (_lock)
        {
            _retries++;
            _lastFault = fault;
        }
    }

    /// <summary>The target is down, or is not there.</summary>
    /// <param name="fault">Names it; without a full stop.</param>
    public void Missed(string fault)
    {
        lock (_lock)
        {
            _retries++;
            _isAnswering = false;
            if (tell is null)
            {
                _lastFault = fault;
            }
            else if (_toldAt is not { } told || time.GetElapsedTime(told) >= TellInterval)
            {
                _toldAt = time.GetTimestamp();
                tell($"{fault}; trying again until it does.");
            }
        }
    }

    /// <summary>One line about the time since the last one.</summary>
    public string Progress()
    {
        lock (_lock)
        {
            var rate = (_accepted - _reportedAccepted) / Math.Max(0.001, time.GetElapsedTime(_reportedAt).TotalSeconds);
            (_reportedAccepted, _reportedAt) = (_accepted, time.GetTimestamp());
            var fault = _lastFault is null ? "" : $", last fault: {_lastFault}";
            _lastFault = null;
            return string.Create(CultureInfo.InvariantCulture, $"accepted {_accepted}, rejected {_rejected}, {rate:F0} events/s, {_retries} retries{fault}{Violations()}");
        }
    }

    /// <summary>One line about the whole run.</summary>
    public string Summary()
    {
        lock (_lock)
        {
            var elapsed = time.GetElapsedTime(_started).TotalSeconds;
            var missing = _sent - _accepted - _rejected;
            var unacknowledged = missing == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {missing} not acknowledged");
            return string.Create(
                CultureInfo.InvariantCulture,
                $"accepted {_accepted}, rejected {_rejected}{unacknowledged}, {_retries} retries in {elapsed:F1} s: {_accepted / Math.Max(0.001, elapsed):F0} events/s{Latencies()}{Violations()}");
        }
    }

    /// <summary>Of the answers; nothing where there were none.</summary>
    private string Latencies() => _latency.IsEmpty
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"; latency p50 {_latency.Quantile(0.5).TotalMilliseconds:F1} ms, p99 {_latency.Quantile(0.99).TotalMilliseconds:F1} ms");

    /// <summary>How many events of each kind were sent; nothing where there were none.</summary>
    private string Violations()
    {
        var all = _planted.Skip(1).Sum();
        var kinds = ViolationPatterns.All.Where(p => _planted[(int)p] > 0).Select(p => $"{ViolationPatterns.Name(p)} {_planted[(int)p]}");
        return all == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; violations {all} ({100.0 * all / _sent:F1} %): {string.Join(", ", kinds)}");
    }
}

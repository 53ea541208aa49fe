namespace PaymentPlatform.Simulator;

/// <summary>The options of <c>./platform simulate</c>.</summary>
public sealed record SimulateOptions
{
    /// <summary>Null: the file's, else Http.</summary>
    public SimulatorTarget? Target { get; init; }

    /// <summary>A settings file such as simulator.yaml; what the other options say goes before it.</summary>
    public string? Config { get; init; }

    /// <summary>Where ingest listens; default: what the connections file says, else http://localhost:8080.</summary>
    public Uri? Url { get; init; }

    /// <summary>A key with the role ingest, where calls need a credential.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The <c>connections.json</c> of a running platform; needed for the target Stream.</summary>
    public string? ConnectionsFile { get; init; }

    /// <summary>How many events; null leaves it to the file, and without one goes on until it is stopped.</summary>
    public long? Total { get; init; }

    /// <summary>How long; null leaves it to the file.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Events a second; 0 is as fast as the target takes them. Null leaves it to the file, and without one is 0.</summary>
    public double? Rate { get; init; }

    /// <summary>The same seed makes the same events, byte for byte; the file's, or a new one each time, when null.</summary>
    public long? Seed { get; init; }

    /// <summary>Where the events' own time begins. Null leaves it to the file; where that is silent too, the time follows the clock, or is a fixed one where a seed is given or nobody waits (File, Stdout).</summary>
    public DateTimeOffset? Start { get; init; }

    /// <summary>The events' time is the clock's, also with a seed.</summary>
    public bool FollowClock { get; init; }

    /// <summary>The file for the target File; an existing one is replaced.</summary>
    public string? Out { get; init; }

    /// <summary>Share of events that break a rule on purpose; the target Http takes none.</summary>
    public double InvalidShare { get; init; }

    /// <summary>A file that gets the line of each accepted event; an existing one is replaced.</summary>
    public string? Record { get; init; }

    /// <summary>Reads what <see cref="Start"/> may be: RFC 3339 or a date; without an offset it is UTC.</summary>
    public static bool TryStart(string text, out DateTimeOffset start) => SettingsReader.TryMoment(text, out start);

    /// <summary>A file that gets one line of JSON for each planted event that was accepted; an existing one is replaced.</summary>
    public string? Truth { get; init; }

    /// <summary>Gets the messages, a line each.</summary>
    public TextWriter Messages { get; init; } = Console.Error;
}

namespace PaymentPlatform.Simulator;

/// <summary>The options of <c>./platform simulate</c>.</summary>
public sealed record SimulateOptions
{
    public required SimulatorTarget Target { get; init; }

    /// <summary>Where ingest listens; default: what the connections file says, else http://localhost:8080.</summary>
    public Uri? Url { get; init; }

    /// <summary>A key with the role ingest, where calls need a credential.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The <c>connections.json</c> of a running platform; needed for the target Stream.</summary>
    public string? ConnectionsFile { get; init; }

    /// <summary>How many events; null goes on until it is stopped.</summary>
    public long? Total { get; init; }

    /// <summary>Events a second; 0 is as fast as the target takes them.</summary>
    public double Rate { get; init; }

    /// <summary>The same seed makes the same payments; a new one each time when null.</summary>
    public long? Seed { get; init; }

    /// <summary>The file for the target File; an existing one is replaced.</summary>
    public string? Out { get; init; }

    /// <summary>Share of events that break a rule on purpose; the target Http takes none.</summary>
    public double InvalidShare { get; init; }

    /// <summary>A file that gets the line of each accepted event; an existing one is replaced.</summary>
    public string? Record { get; init; }
}

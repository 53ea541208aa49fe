namespace PaymentPlatform.Faults.Scenarios;

/// <summary>What an instance runs.</summary>
public enum InstanceRole
{
    Archiver,
    Metrics,

    /// <summary>The ingest service behind HTTP.</summary>
    Door,

    /// <summary>A publisher straight into the stream, as a broker's producers are.</summary>
    Producer,

    /// <summary>The query service behind HTTP: acts on dead letters, replays, takes orders for rebuilds.</summary>
    Desk,
}

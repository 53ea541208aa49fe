namespace PaymentPlatform.Simulator;

/// <summary>Where the events go.</summary>
public enum SimulatorTarget
{
    /// <summary>Straight to the stream; also takes invalid events.</summary>
    Stream,

    /// <summary>To ingest over HTTP, which refuses invalid events.</summary>
    Http,

    /// <summary>To a file, one a line.</summary>
    File,

    /// <summary>To standard output, one a line and nothing else.</summary>
    Stdout,
}

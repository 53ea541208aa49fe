namespace PaymentPlatform.Standalone.Run;

/// <summary>The options of <c>run</c>, checked.</summary>
internal sealed record RunOptions
{
    public const int DefaultPort = 8080;
    public const string DefaultData = ".data";

    /// <summary>Null: the default port, or a free one for a process that joins while the default is taken, or that serves nothing which people call.</summary>
    public int? Port { get; init; }

    /// <summary>Whether the process uses the servers of another.</summary>
    public bool Joins => Connections is not null;

    /// <summary>The port to begin with: 0 for any free one, so that processes that join at the same moment don't meet at the default.</summary>
    public int FirstPort => Port ?? (Joins && !Services.Overlaps([PlatformService.Ingest, PlatformService.Query]) ? 0 : DefaultPort);

    /// <summary>Null: <see cref="DefaultData"/>, or for a process that joins the folder of the platform it joins.</summary>
    public string? Data { get; init; }

    public required IReadOnlySet<PlatformService> Services { get; init; }

    /// <summary>Events a second; null leaves it to the configuration.</summary>
    public double? SimulatorRate { get; init; }

    /// <summary>The connections.json of the platform to join; null starts servers of its own.</summary>
    public string? Connections { get; init; }

    /// <summary><c>--Section:Key=value</c>.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];
}

namespace PaymentPlatform.LocalInfrastructure;

/// <summary>What to start, and where.</summary>
public sealed record LocalInfrastructureOptions
{
    /// <summary>Holds <c>postgres/</c> and <c>azurite/</c>. Made when missing. One process at a time uses it.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>
    /// Where the npm packages are installed; shared by all data directories. Default: <c>artifacts/node</c> under the repository (the environment variable
    /// PLATFORM_HOME, else the folder above the executable that holds the solution), else <c>node_tools</c> next to the executable.
    /// </summary>
    public string? ToolsDirectory { get; init; }

    /// <summary>Told what is going on, a line at a time, while the first start sets things up.</summary>
    public IProgress<string>? Progress { get; init; }

    /// <summary>PostgreSQL's <c>max_connections</c>.</summary>
    public int MaxConnections { get; init; } = 100;
}

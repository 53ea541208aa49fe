namespace PaymentPlatform.LocalInfrastructure;

/// <summary>What to start, and where.</summary>
public sealed record LocalInfrastructureOptions
{
    /// <summary>Holds <c>postgres/</c> and <c>azurite/</c>. Made when missing.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Where the npm packages are installed; shared by all data directories.</summary>
    public string? ToolsDirectory { get; init; }

    /// <summary>Told what is going on, a line at a time, while the first start sets things up.</summary>
    public IProgress<string>? Progress { get; init; }
}

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Section <c>Access</c>, as read by <see cref="AccessOptionsReader"/>.</summary>
internal sealed class AccessOptions
{
    public const string Section = "Access";

    public List<ApiKey> Keys { get; } = [];

    /// <summary>Null when no tokens are taken.</summary>
    public JwtAccess? Jwt { get; set; }

    /// <summary>Host names that are served, besides this machine's own, while calls need no credential.</summary>
    public IReadOnlyList<string> Hosts { get; set; } = [];

    /// <summary>What is wrong with the section, a line each.</summary>
    public List<string> Faults { get; } = [];
}

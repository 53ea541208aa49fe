namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>Where the hub is, and how to prove who we are, as one connection string says it.</summary>
/// <param name="ConnectionString">The whole string where it carries a key (or is the emulator's, whose port only the whole string brings along); null where a token credential must do.</param>
/// <param name="Namespace">Host name of the namespace, without scheme and port.</param>
/// <param name="Hub">The hub's name.</param>
/// <param name="Port">As the string names it, for people; null when it names none.</param>
internal sealed record HubAddress(string? ConnectionString, string Namespace, string Hub, int? Port)
{
    public const string ConnectionName = "payments";

    private const string Form = "give the Event Hubs connection string (Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…;EntityPath=…), or Endpoint and EntityPath alone to sign in as the application's identity";

    /// <summary>Without any secret.</summary>
    public override string ToString() => Port is { } port ? $"hub '{Hub}' at {Namespace}:{port}" : $"hub '{Hub}' at {Namespace}";

    /// <param name="connectionString">The value of <c>ConnectionStrings:payments</c>: a whole connection string, <c>Endpoint=…;EntityPath=…</c> without a key, or the namespace alone.</param>
    /// <param name="stream">The hub's name where the string has no EntityPath.</param>
    /// <exception cref="FormatException">One line that names the setting and what to do.</exception>
    public static HubAddress Parse(string? connectionString, string stream)
    {
        if (string.IsNullOrWhiteSpace(connectionString))
            throw new FormatException($"ConnectionStrings:{ConnectionName} is not set: {Form}.");
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in connectionString.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=');
            if (equals > 0)
                values[part[..equals].TrimEnd()] = part[(equals + 1)..].TrimStart();
            else
                values.TryAdd("Endpoint", part);
        }

        if (!values.TryGetValue("Endpoint", out var endpoint) || !TryHost(endpoint, out var host, out var port))
            throw new FormatException($"ConnectionStrings:{ConnectionName} names no endpoint: {Form}.");
        var hub = values.GetValueOrDefault("EntityPath") is { Length: > 0 } path ? path : stream;
        var isEmulator = bool.TryParse(values.GetValueOrDefault("UseDevelopmentEmulator"), out var emulator) && emulator;
        var hasKey = values.ContainsKey("SharedAccessKey") || values.ContainsKey("SharedAccessSignature");
        return new(isEmulator || hasKey ? connectionString : null, host, hub, port);
    }

    /// <summary>Another hub of the same namespace. A string names one hub only: where this one's does, it goes.</summary>
    public HubAddress For(string hub) => this with
    {
        Hub = hub,
        ConnectionString = ConnectionString is null ? null : string.Join(';', ConnectionString.Split(';').Where(part => !part.TrimStart().StartsWith("EntityPath", StringComparison.OrdinalIgnoreCase))),
    };

    private static bool TryHost(string endpoint, out string host, out int? port)
    {
        (host, port) = ("", null);
        if (!Uri.TryCreate(endpoint.Contains("://", StringComparison.Ordinal) ? endpoint : "sb://" + endpoint, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            return false;
        (host, port) = (uri.Host, uri.IsDefaultPort || uri.Port < 0 ? null : uri.Port);
        return true;
    }
}

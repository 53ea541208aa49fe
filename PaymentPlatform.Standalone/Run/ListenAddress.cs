using System.Net;
using System.Net.Sockets;

namespace PaymentPlatform.Standalone.Run;

/// <summary>Where the platform listens: on this machine only, unless it is told otherwise.</summary>
/// <param name="Address">Of the port.</param>
/// <param name="Exposure">The setting that lets other machines in, with its value; null: none does.</param>
internal sealed record ListenAddress(IPAddress Address, string? Exposure)
{
    private const string Option = "Http:Address";

    /// <summary>Half a sentence, for a start without credentials.</summary>
    public string? CredentialReason => Exposure is null ? null : $"{Exposure} lets other machines in, so calls need a credential";

    /// <summary>How this machine reaches it.</summary>
    public string Url(int port)
    {
        var reached = Address switch
        {
            _ when Address.Equals(IPAddress.Any) => IPAddress.Loopback,
            _ when Address.Equals(IPAddress.IPv6Any) => IPAddress.IPv6Loopback,
            _ => Address,
        };
        return $"http://{(reached.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{reached}]" : reached)}:{port}";
    }

    /// <summary>From <c>Http:Address</c>, and from <c>Kestrel:Endpoints</c> (as for https), which come on top of it.</summary>
    /// <exception cref="StartFaultException">Not an address.</exception>
    public static ListenAddress Read(IConfiguration configuration)
    {
        var text = configuration[Option] is { Length: > 0 } value ? value : "127.0.0.1";
        if (!IPAddress.TryParse(text == "localhost" ? "127.0.0.1" : text, out var address))
            throw new StartFaultException($"{Option} is '{text}': it must be an IP address, such as 127.0.0.1 (this machine only) or 0.0.0.0 (all).", PlatformCommandLine.WrongUsage);
        if (!IPAddress.IsLoopback(address))
            return new(address, $"{Option}={text}");
        var exposed = configuration.GetSection("Kestrel:Endpoints").GetChildren().FirstOrDefault(endpoint => !IsLoopback(endpoint["Url"]));
        return new(address, exposed is null ? null : $"{exposed.Path}:Url={exposed["Url"]}");
    }

    /// <summary>Kestrel takes every host that is neither an address nor localhost for all addresses.</summary>
    private static bool IsLoopback(string? url)
    {
        try
        {
            var host = BindingAddress.Parse(url ?? "").Host;
            return host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
        }
        catch (FormatException)
        {
            return false;
        }
    }
}

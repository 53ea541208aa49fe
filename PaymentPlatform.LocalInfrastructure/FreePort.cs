using System.Net;
using System.Net.Sockets;

namespace PaymentPlatform.LocalInfrastructure;

/// <summary>Loopback ports. The port of the last start is kept where it can be, so that processes which joined find the servers again.</summary>
internal static class FreePort
{
    public static int Take(string rememberedIn, bool another = false)
    {
        var port = !another && File.Exists(rememberedIn) && int.TryParse(File.ReadAllText(rememberedIn), out var last) && last is > 0 and < 65536 && IsFree(last) ? last : Any();
        File.WriteAllText(rememberedIn, port.ToString());
        return port;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int Any()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

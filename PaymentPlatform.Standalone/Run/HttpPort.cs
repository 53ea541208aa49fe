using System.Net;
using System.Net.Sockets;

namespace PaymentPlatform.Standalone.Run;

/// <summary>Settles the port before anything is started, so that a taken one is said at once.</summary>
internal static class HttpPort
{
    /// <exception cref="StartFaultException">The port is taken, or may not be used.</exception>
    public static int Choose(int? asked, bool joins)
    {
        var port = asked ?? RunOptions.DefaultPort;
        try
        {
            return Probe(port);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            if (asked is null && joins)
                return Probe(0);
            throw new StartFaultException($"Port {port} is in use by another program: choose another with --port N, or --port 0 for any free one.", PlatformCommandLine.Fault, exception);
        }
        catch (SocketException exception)
        {
            throw new StartFaultException($"Port {port} can't be used ({exception.Message}): choose another with --port N.", PlatformCommandLine.Fault, exception);
        }
    }

    private static int Probe(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

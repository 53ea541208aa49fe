using System.Net;
using System.Net.Sockets;

namespace PaymentPlatform.Testing;

/// <summary>A port of this machine behind which a server stands: what passes between the two, and how, the one who opens it says.</summary>
public sealed class Relay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _host;
    private readonly int _port;
    private readonly Func<NetworkStream, NetworkStream, Task> _exchange;
    private readonly CancellationToken _end;

    /// <param name="exchange">Carries one connection, of the client's and the server's ends; both are closed once it has ended or failed.</param>
    /// <param name="end">No connection is accepted after this, as after <see cref="Dispose"/>.</param>
    public Relay(string host, int port, Func<NetworkStream, NetworkStream, Task> exchange, CancellationToken end = default)
    {
        (_host, _port, _exchange, _end) = (host, port, exchange, end);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        end.Register(_listener.Dispose);
        _ = AcceptAsync();
    }

    /// <summary>Where clients find it, on the loopback address.</summary>
    public int Port { get; }

    /// <summary>Whether this is how a connection looks that breaks.</summary>
    public static bool IsBroken(Exception e) => e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end));
        }
        catch (Exception e) when (IsBroken(e))
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(_host, _port, _end);
                client.NoDelay = server.NoDelay = true;
                await _exchange(client.GetStream(), server.GetStream());
            }
            catch (Exception e) when (IsBroken(e))
            {
            }
        }
    }
}

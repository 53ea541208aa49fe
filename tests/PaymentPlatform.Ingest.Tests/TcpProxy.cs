using System.Net;
using System.Net.Sockets;

namespace PaymentPlatform.Ingest.Tests;

/// <summary>Stands between the service and its database: taken down, connections break and new ones are refused, as with a server that has stopped.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly string _host;
    private readonly int _port;
    private readonly List<Socket> _sockets = [];
    private TcpListener? _listener;

    public TcpProxy(string host, int port)
    {
        _host = host;
        _port = port;
        Up();
    }

    public int Port { get; private set; }

    public void Up()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync(_listener);
    }

    public void Down()
    {
        _listener?.Stop();
        _listener = null;
        lock (_sockets)
        {
            foreach (var socket in _sockets)
                socket.Close(0);
            _sockets.Clear();
        }
    }

    public ValueTask DisposeAsync()
    {
        Down();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync();
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                lock (_sockets)
                {
                    if (_listener != listener)
                    {
                        client.Close(0);
                        server.Dispose();
                        return;
                    }

                    _sockets.Add(client);
                    _sockets.Add(server);
                }

                await server.ConnectAsync(_host, _port);
                _ = PumpAsync(client, server);
                _ = PumpAsync(server, client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }

    private static async Task PumpAsync(Socket from, Socket to)
    {
        try
        {
            var buffer = new byte[64 << 10];
            for (int read; (read = await from.ReceiveAsync(buffer)) > 0;)
                await to.SendAsync(buffer.AsMemory(0, read));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
        finally
        {
            from.Close(0);
            to.Close(0);
        }
    }
}

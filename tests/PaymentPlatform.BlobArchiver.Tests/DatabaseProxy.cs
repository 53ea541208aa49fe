using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>Stands between the archiver and PostgreSQL. Cuts the connection at a COMMIT, before it arrives or after it was carried out but before the answer; or cuts everything for a while.</summary>
internal sealed class DatabaseProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly string _host;
    private readonly int _port;
    private readonly Task _accepting;
    private CancellationTokenSource _open = new();
    private volatile bool _blocked;
    private int _cuts;

    public DatabaseProxy(string host, int port)
    {
        _host = host;
        _port = port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string ConnectionString(TestPlatform platform) => new NpgsqlConnectionStringBuilder(platform.ConnectionString)
    {
        Host = "127.0.0.1",
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
        SslMode = SslMode.Disable,
    }.ConnectionString;

    /// <summary>Cuts all connections and lets none be made.</summary>
    public void Block()
    {
        _blocked = true;
        Interlocked.Exchange(ref _open, new()).Cancel();
    }

    public void Unblock() => _blocked = false;

    /// <summary>When a COMMIT is seen: null lets it pass, false cuts before, true after it.</summary>
    public Func<bool?> OnCommit { get; set; } = () => null;

    public int Cuts => _cuts;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        using var server = new TcpClient();
        if (_blocked)
            return;
        try
        {
            await server.ConnectAsync(_host, _port, _end.Token);
            using var cut = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, _open.Token);
            var answers = PumpAsync(server.GetStream(), client.GetStream(), cut.Token);
            await ForwardAsync(client.GetStream(), server.GetStream(), cut);
            await cut.CancelAsync();
            await answers;
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }

    private async Task ForwardAsync(NetworkStream client, NetworkStream server, CancellationTokenSource cut)
    {
        var buffer = new byte[1 << 16];
        for (int read; (read = await client.ReadAsync(buffer, cut.Token)) > 0;)
        {
            if (buffer.AsSpan(0, read).IndexOf("COMMIT"u8) >= 0 && OnCommit() is { } after)
            {
                Interlocked.Increment(ref _cuts);
                // No answer passes from here on.
                await cut.CancelAsync();
                if (!after)
                    return;
                await server.WriteAsync(buffer.AsMemory(0, read), _end.Token);
                // The server has answered, so it has committed.
                await server.ReadAtLeastAsync(buffer, 1, throwOnEndOfStream: false, _end.Token);
                return;
            }

            await server.WriteAsync(buffer.AsMemory(0, read), cut.Token);
        }
    }

    private static async Task PumpAsync(NetworkStream from, NetworkStream to, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 16];
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, cancellationToken)) > 0;)
                await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }
}

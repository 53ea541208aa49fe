using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>Stands between one instance and PostgreSQL. Sees each statement, and does there what <see cref="InstanceFaults"/> says.</summary>
internal sealed class PostgresProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly InstanceNetwork _network;
    private readonly InstanceFaults _faults;
    private CancellationTokenSource _open = new();

    public PostgresProxy(NpgsqlConnectionStringBuilder server, InstanceNetwork network, InstanceFaults faults)
    {
        (_server, _network, _faults) = (server, network, faults);
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port, SslMode = SslMode.Disable,
        }.ConnectionString;
        network.Severed.Register(_listener.Dispose);
        _ = AcceptAsync();
    }

    public string ConnectionString { get; }

    /// <summary>Cuts every connection; new ones can be made at once.</summary>
    public void CutAll() => Interlocked.Exchange(ref _open, new()).Cancel();

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_network.Severed));
        }
        catch (Exception e) when (InstanceNetwork.IsBroken(e))
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(_network.Severed, Volatile.Read(ref _open).Token);
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(_server.Host!, _server.Port, cut.Token);
                client.NoDelay = server.NoDelay = true;
                var connection = new Connection(client.GetStream(), server.GetStream(), _network, _faults, cut);
                await Task.WhenAny(connection.ForwardAsync(), connection.AnswerAsync());
                await cut.CancelAsync();
            }
            catch (Exception e) when (InstanceNetwork.IsBroken(e))
            {
            }
        }
    }

    private sealed class Connection(NetworkStream client, NetworkStream server, InstanceNetwork network, InstanceFaults faults, CancellationTokenSource cut)
    {
        private readonly FrontendMessages _messages = new();
        private volatile StepFault? _afterwards;

        public async Task ForwardAsync()
        {
            var buffer = new byte[1 << 16];
            using var ready = new MemoryStream();
            try
            {
                for (int read; (read = await client.ReadAsync(buffer, cut.Token)) > 0;)
                {
                    _messages.Append(buffer.AsSpan(0, read));
                    while (_messages.TryTake(out var message, out var kind))
                    {
                        if (kind is { } statement && faults.Next(statement) is { } fault)
                        {
                            if (fault.After)
                            {
                                _afterwards = fault;
                            }
                            else
                            {
                                await SendAsync(ready);
                                await faults.ApplyAsync(fault, cut);
                            }
                        }

                        ready.Write(message.Span);
                    }

                    await SendAsync(ready);
                }
            }
            catch (Exception e) when (InstanceNetwork.IsBroken(e))
            {
            }
        }

        public async Task AnswerAsync()
        {
            var buffer = new byte[1 << 16];
            try
            {
                for (int read; (read = await server.ReadAsync(buffer, cut.Token)) > 0;)
                {
                    if (_afterwards is { } fault)
                    {
                        // The server sends nothing before it has carried out all up to the next Sync.
                        _afterwards = null;
                        await faults.ApplyAsync(fault, cut);
                    }

                    await faults.DelayAsync(cut.Token);
                    await network.PassAsync();
                    await client.WriteAsync(buffer.AsMemory(0, read), cut.Token);
                }
            }
            catch (Exception e) when (InstanceNetwork.IsBroken(e))
            {
            }
        }

        private async ValueTask SendAsync(MemoryStream ready)
        {
            if (ready.Length == 0)
                return;
            await network.PassAsync();
            await server.WriteAsync(ready.GetBuffer().AsMemory(0, (int)ready.Length), cut.Token);
            ready.SetLength(0);
        }
    }
}

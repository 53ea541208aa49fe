using System.Net.Sockets;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>Stands between one instance and PostgreSQL. Sees each statement, and does there what <see cref="InstanceFaults"/> says.</summary>
internal sealed class PostgresProxy : IDisposable
{
    private readonly Relay _relay;
    private readonly InstanceNetwork _network;
    private readonly InstanceFaults _faults;
    private CancellationTokenSource _open = new();

    public PostgresProxy(NpgsqlConnectionStringBuilder server, InstanceNetwork network, InstanceFaults faults)
    {
        (_network, _faults) = (network, faults);
        _relay = new(server.Host!, server.Port, ExchangeAsync, network.Severed);
        ConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Host = "127.0.0.1", Port = _relay.Port, SslMode = SslMode.Disable,
        }.ConnectionString;
    }

    public string ConnectionString { get; }

    /// <summary>Cuts every connection; new ones can be made at once.</summary>
    public void CutAll() => Interlocked.Exchange(ref _open, new()).Cancel();

    public void Dispose() => _relay.Dispose();

    private async Task ExchangeAsync(NetworkStream client, NetworkStream server)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(_network.Severed, Volatile.Read(ref _open).Token);
        var connection = new Connection(client, server, _network, _faults, cut);
        await Task.WhenAny(connection.ForwardAsync(), connection.AnswerAsync());
        await cut.CancelAsync();
    }

    private sealed class Connection(NetworkStream client, NetworkStream server, InstanceNetwork network, InstanceFaults faults, CancellationTokenSource cut)
    {
        private readonly FrontendMessages _messages = new();
        private volatile StepFault? _afterwards;
        private IDisposable? _late;
        private bool _holdsPosition;

        /// <summary>The server's last word of an answer, outside of a transaction.</summary>
        private static ReadOnlySpan<byte> IsIdle => [(byte)'Z', 0, 0, 0, 5, (byte)'I'];

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
                        if (kind is { } statement && faults.Next(statement, _holdsPosition) is { } fault)
                        {
                            // Both kinds may meet one transaction.
                            if (fault.IsTakeover)
                                Interlocked.Exchange(ref _late, faults.Hold())?.Dispose();
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

                        _holdsPosition = kind switch
                        {
                            StatementKind.Lock => true,
                            StatementKind.Begin or StatementKind.Commit => false,
                            _ => _holdsPosition,
                        };
                        ready.Write(message.Span);
                    }

                    await SendAsync(ready);
                }
            }
            catch (Exception e) when (Relay.IsBroken(e))
            {
            }
            finally
            {
                Settle();
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
                    if (buffer.AsSpan(0, read).EndsWith(IsIdle))
                        Settle();
                    await client.WriteAsync(buffer.AsMemory(0, read), cut.Token);
                }
            }
            catch (Exception e) when (Relay.IsBroken(e))
            {
            }
        }

        /// <summary>The run's end has nothing to wait for here any more.</summary>
        private void Settle() => Interlocked.Exchange(ref _late, null)?.Dispose();

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

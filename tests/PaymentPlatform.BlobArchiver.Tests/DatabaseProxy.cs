using System.Net.Sockets;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>Stands between the archiver and PostgreSQL. Cuts the connection at a COMMIT, before it arrives or after it was carried out but before the answer; or cuts everything for a while.</summary>
internal sealed class DatabaseProxy : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Relay _relay;
    private CancellationTokenSource _open = new();
    private volatile bool _blocked;
    private int _cuts;

    public DatabaseProxy(string host, int port) => _relay = new(host, port, ExchangeAsync, _end.Token);

    public string ConnectionString(TestPlatform platform) => new NpgsqlConnectionStringBuilder(platform.ConnectionString)
    {
        Host = "127.0.0.1",
        Port = _relay.Port,
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
        _relay.Dispose();
    }

    private async Task ExchangeAsync(NetworkStream client, NetworkStream server)
    {
        if (_blocked)
            return;
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, _open.Token);
        var answers = PumpAsync(server, client, cut.Token);
        await ForwardAsync(client, server, cut);
        await cut.CancelAsync();
        await answers;
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
        catch (Exception e) when (Relay.IsBroken(e))
        {
        }
    }
}

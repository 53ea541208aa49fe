using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Npgsql;

namespace PaymentPlatform.Testing;

/// <summary>Stands between a client and PostgreSQL, and cuts the connection at some of the statements that hold a text: before the server sees it, or after, so that only the answer is lost.</summary>
public sealed class CuttingProxy : IDisposable
{
    private readonly Relay _relay;
    private readonly byte[] _text;
    private readonly Predicate<int> _isCut;
    private readonly bool _forward;
    private int _seen;
    private int _cuts;

    /// <param name="isCut">Whether to cut at the n-th, from 1.</param>
    /// <param name="forward">The server carries it out, and only the answer is lost.</param>
    public CuttingProxy(NpgsqlConnectionStringBuilder server, string text, Predicate<int> isCut, bool forward)
    {
        (_text, _isCut, _forward) = (Encoding.UTF8.GetBytes(text), isCut, forward);
        _relay = new(server.Host!, server.Port, ExchangeAsync);
        ConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Host = "127.0.0.1", Port = _relay.Port, SslMode = SslMode.Disable }.ConnectionString;
    }

    public string ConnectionString { get; }

    public int Cuts => Volatile.Read(ref _cuts);

    public void Dispose() => _relay.Dispose();

    private async Task ExchangeAsync(NetworkStream client, NetworkStream server)
    {
        var answered = new TaskCompletionSource();
        var cut = new StrongBox<bool>();
        await Task.WhenAny(AnswerAsync(server, client, cut, answered), ForwardAsync(client, server, cut, answered.Task));
    }

    private static async Task AnswerAsync(NetworkStream server, NetworkStream client, StrongBox<bool> cut, TaskCompletionSource answered)
    {
        var buffer = new byte[1 << 16];
        for (int read; (read = await server.ReadAsync(buffer)) > 0;)
        {
            if (!Volatile.Read(ref cut.Value))
            {
                await client.WriteAsync(buffer.AsMemory(0, read));
                continue;
            }

            answered.SetResult();
            return;
        }
    }

    private async Task ForwardAsync(NetworkStream client, NetworkStream server, StrongBox<bool> cut, Task answered)
    {
        var buffer = new byte[1 << 16];
        for (int read; (read = await client.ReadAsync(buffer)) > 0;)
        {
            if (buffer.AsSpan(0, read).IndexOf(_text) >= 0 && _isCut(Interlocked.Increment(ref _seen)))
            {
                Interlocked.Increment(ref _cuts);
                if (!_forward)
                    return;
                // The server carries it out; its answer goes nowhere.
                Volatile.Write(ref cut.Value, true);
                await server.WriteAsync(buffer.AsMemory(0, read));
                await answered;
                return;
            }

            await server.WriteAsync(buffer.AsMemory(0, read));
        }
    }
}

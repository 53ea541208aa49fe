using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace PaymentPlatform.Streaming.Leasing;

/// <summary>
/// The process's one LISTEN connection. A dropped one is opened again, and everybody is told to look for themselves then, for what was missed.
/// Only a hint: whoever subscribes polls too.
/// </summary>
internal sealed partial class StreamSignals(NpgsqlDataSource database, TimeProvider timeProvider, ILogger<StreamSignals> logger) : IAsyncDisposable
{
    /// <summary>NOTIFY's channel, as the schema names it. Payloads: a log's id (appended), <c>g:group/stream</c> (members or leases changed), <c>l:stream</c> (log made or dropped).</summary>
    public const string Channel = "payment_stream";

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private ImmutableList<Action<string>> _handlers = [];
    private Task? _loop;

    /// <param name="handler">Gets the payload, or an empty text for "anything may have happened". Must not block.</param>
    public IDisposable Subscribe(Action<string> handler)
    {
        lock (_gate)
        {
            _handlers = _handlers.Add(handler);
            _loop ??= Task.Run(() => ListenAsync(_stop.Token));
        }

        return new Subscription(this, handler);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_loop is not null)
            await _loop;
        _stop.Dispose();
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        var faults = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(cancellationToken);
                connection.Notification += OnNotification;
                try
                {
                    await ExecuteAsync(connection, "LISTEN " + Channel, cancellationToken);
                    faults = 0;
                    Raise("");
                    while (true)
                        await connection.WaitAsync(cancellationToken);
                }
                finally
                {
                    connection.Notification -= OnNotification;
                    // It goes back to the pool, where nobody wants to hear it.
                    if (cancellationToken.IsCancellationRequested && connection.FullState == System.Data.ConnectionState.Open)
                        await ExecuteAsync(connection, "UNLISTEN *", CancellationToken.None);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                LogDropped(logger, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(100 << Math.Min(faults++, 6), 5000)), timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private void OnNotification(object sender, NpgsqlNotificationEventArgs arguments) => Raise(arguments.Payload);

    private void Raise(string payload)
    {
        foreach (var handler in Volatile.Read(ref _handlers))
            handler(payload);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The LISTEN connection of the stream dropped: {Fault}. Polling until it is back.")]
    private static partial void LogDropped(ILogger logger, string fault);

    private sealed class Subscription(StreamSignals owner, Action<string> handler) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._gate)
                owner._handlers = owner._handlers.Remove(handler);
        }
    }
}

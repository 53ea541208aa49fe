using PaymentPlatform.Streaming.Leasing;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>One owned partition being read: a receiver and the receive that is under way.</summary>
internal sealed class HubFeed(FetchRequest request, HubReceiver receiver) : IAsyncDisposable
{
    private const int MostEvents = 1000;
    private const int FirstGuess = 2000;
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _end = new();
    private Task<IReadOnlyList<HubEvent>>? _receive;
    private long _bytesAnEvent = FirstGuess;

    public FetchRequest Request => request;

    /// <summary>The receive under way; null when there is none.</summary>
    public Task? Receive => _receive;

    /// <summary>Begins a receive when none is under way.</summary>
    /// <param name="budget">Bytes that there is room for. A receive counts events: how many fit goes by the size of those before.</param>
    public void Begin(long budget) =>
        _receive ??= receiver.ReceiveAsync((int)Math.Clamp(budget / _bytesAnEvent, 1, MostEvents), s_wait, _end.Token);

    /// <summary>What the receive brought, once it is complete.</summary>
    /// <returns>Null while it is under way.</returns>
    public async ValueTask<IReadOnlyList<HubEvent>?> TakeAsync()
    {
        if (_receive is not { IsCompleted: true } done)
            return null;
        _receive = null;
        var events = await done;
        if (events.Count > 0)
            _bytesAnEvent = Math.Max(1, events.Sum(e => (long)e.Body.Length) / events.Count + FirstGuess / 4);
        return events;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_receive is { } receive)
            await ((Task)receive).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await receiver.DisposeAsync();
        _end.Dispose();
    }
}

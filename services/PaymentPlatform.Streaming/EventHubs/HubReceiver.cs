namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>Reads one partition on.</summary>
internal abstract class HubReceiver : IAsyncDisposable
{
    /// <summary>What comes next, at once when there is something.</summary>
    /// <returns>In order; empty when nothing came within <paramref name="wait"/>.</returns>
    /// <exception cref="HubException"/>
    public abstract Task<IReadOnlyList<HubEvent>> ReceiveAsync(int maximum, TimeSpan wait, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>Messages for one partition that go out as one: all or none.</summary>
internal abstract class HubBatch : IDisposable
{
    public abstract int Count { get; }

    /// <summary>As it goes over the wire.</summary>
    public abstract long Bytes { get; }

    /// <summary>What a batch may hold at most.</summary>
    public abstract long MaxBytes { get; }

    /// <returns>False when there is no room for it; with <see cref="Count"/> 0 there never is.</returns>
    public abstract bool TryAdd(in Message message, in MessageIdentity identity);

    public abstract void Dispose();
}

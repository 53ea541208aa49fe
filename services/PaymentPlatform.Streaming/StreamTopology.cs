namespace PaymentPlatform.Streaming;

/// <summary>The stream as it stands at the broker.</summary>
public abstract class StreamTopology
{
    /// <summary>Makes the stream when it is missing; an existing one is left as it is. Publishers and consumers do it by themselves.</summary>
    /// <exception cref="StreamUnavailableException">The stream can't be reached.</exception>
    public abstract ValueTask EnsureAsync(CancellationToken cancellationToken);
}

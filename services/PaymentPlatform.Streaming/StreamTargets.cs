using Microsoft.Extensions.Configuration;

namespace PaymentPlatform.Streaming;

/// <summary>Streams to publish into by name, the platform's own among them, over the transport of <see cref="StreamingOptions.Transport"/>.</summary>
public abstract class StreamTargets(IConfiguration configuration, TimeProvider timeProvider)
{
    /// <summary>True when the name leads to the stream that the platform itself consumes.</summary>
    public abstract bool IsOwn(string stream);

    /// <summary>
    /// A publisher for the stream, the caller's to dispose of; it masks card data as the platform's own does.
    /// A PostgreSQL stream is made when it is missing, with as many partitions as the platform's own has; a broker's must be there.
    /// </summary>
    /// <exception cref="StreamNotFoundException">There is no such stream, and none is made.</exception>
    /// <exception cref="StreamUnavailableException">The transport can't be reached.</exception>
    public async Task<MessagePublisher> OpenAsync(string stream, CancellationToken cancellationToken) =>
        MaskingPublisher.Guard(await OpenInspectedAsync(stream, cancellationToken), configuration, timeProvider);

    /// <summary>As <see cref="OpenAsync"/>, without the masking.</summary>
    protected abstract Task<MessagePublisher> OpenInspectedAsync(string stream, CancellationToken cancellationToken);
}

namespace PaymentPlatform.Streaming;

/// <summary>Appends messages to the stream. Thread-safe; concurrent calls share appends.</summary>
public abstract class MessagePublisher : IAsyncDisposable
{
    /// <summary>
    /// Completes once the stream holds the messages durably. All of a claim's messages are appended or none; messages of one key keep their order within the call.
    /// The messages' memory must stay untouched until then.
    /// </summary>
    /// <param name="messages">Any number, of any keys.</param>
    /// <param name="claims">Slices of <paramref name="messages"/> that must be taken once; may be empty. Slices don't overlap.</param>
    /// <returns>One outcome a claim, in order.</returns>
    /// <exception cref="StreamUnavailableException">Nothing is known to be taken: the stream can't be reached, or has no room.</exception>
    /// <exception cref="MessageTooLargeException">A message is larger than the transport takes.</exception>
    public abstract ValueTask<IReadOnlyList<ClaimOutcome>> PublishAsync(
        ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

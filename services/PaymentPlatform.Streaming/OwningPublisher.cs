namespace PaymentPlatform.Streaming;

/// <summary>A publisher with the connection that is its own: both end together.</summary>
internal sealed class OwningPublisher(MessagePublisher inner, Func<ValueTask> close) : MessagePublisher
{
    public override ValueTask<IReadOnlyList<ClaimOutcome>> PublishAsync(ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, CancellationToken cancellationToken) =>
        inner.PublishAsync(messages, claims, cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await close();
    }
}

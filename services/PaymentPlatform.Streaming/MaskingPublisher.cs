using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration;
using PaymentPlatform.Events;

namespace PaymentPlatform.Streaming;

/// <summary>
/// Masks card data in what is published, so that the stream itself, which keeps what it is given until its retention ends, never holds any. Such an event says so in the header <see cref="HeaderNames.CardData"/>.
/// Ingest has looked already and publishes under <see cref="Inspected"/>, past this.
/// </summary>
internal sealed class MaskingPublisher(MessagePublisher inner, TimeProvider timeProvider) : MessagePublisher
{
    /// <summary>Key of the publisher for messages that are known to hold no card data, or may hold it.</summary>
    public const string Inspected = "inspected";

    /// <returns>The publisher, behind the mask unless card data is allowed.</returns>
    public static MessagePublisher Guard(MessagePublisher publisher, IConfiguration configuration, TimeProvider timeProvider) =>
        StreamCardData.Read(configuration) == CardDataMode.Allow ? publisher : new MaskingPublisher(publisher, timeProvider);

    private readonly ConcurrentBag<TransactionParser> _parsers = [];

    public override ValueTask<IReadOnlyList<ClaimOutcome>> PublishAsync(
        ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, CancellationToken cancellationToken) =>
        inner.PublishAsync(Mask(messages), claims, cancellationToken);

    public override ValueTask DisposeAsync() => inner.DisposeAsync();

    private ReadOnlyMemory<Message> Mask(ReadOnlyMemory<Message> messages)
    {
        if (!_parsers.TryTake(out var parser))
            parser = new(new() { CardData = CardDataMode.Mask });
        Message[]? copy = null;
        var now = (timeProvider.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        for (var i = 0; i < messages.Length; i++)
        {
            var message = messages.Span[i];
            var result = parser.Parse(message.Body, now);
            if (!result.IsMasked)
                continue;
            copy ??= messages.ToArray();
            copy[i] = message with { Body = result.Payload, Headers = message.Headers.With(HeaderNames.CardData, HeaderNames.Masked) };
        }

        _parsers.Add(parser);
        return copy ?? messages;
    }
}

using Microsoft.Extensions.ObjectPool;
using PaymentPlatform.Events;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Ingest;

/// <summary>
/// Rejections of events that were found valid, once the stream has spoken. By then the next chunk is being evaluated on another thread,
/// and a parser is one thread's: so each takes one of its own. Thread-safe.
/// </summary>
internal sealed class LateRejections(ObjectPool<TransactionParser> parsers)
{
    /// <summary>An event under a known CloudEvents source and id is not the one that was first sent.</summary>
    public const string IdempotencyConstraint = "idempotency";

    public static ValidationError TooLarge(long size, int limit) =>
        new("", Constraints.Size, $"at most {limit} bytes", $"{size} bytes", "The event is too large.");

    public static ValidationError Conflict() =>
        new("id", IdempotencyConstraint, "the data first sent under this source and id", null, "Other data was sent before under the same CloudEvents source and id.");

    /// <param name="order">The event's place in its chunk.</param>
    /// <param name="listed">False when the answer is known to have no room for it.</param>
    public void AddTooLarge(EventChunk chunk, int order, in Message message, int limit, bool listed) =>
        Add(chunk, order, message, TooLarge(message.Body.Length, limit), listed);

    /// <inheritdoc cref="AddTooLarge"/>
    public void AddConflict(EventChunk chunk, int order, in Message message, bool listed) =>
        Add(chunk, order, message, Conflict(), listed);

    private void Add(EventChunk chunk, int order, in Message message, ValidationError error, bool listed) =>
        chunk.Rejections.Add(order, chunk.FirstIndex + order, listed ? TransactionId(message) : null, [error], listed);

    private string? TransactionId(in Message message)
    {
        var parser = parsers.Get();
        try
        {
            return parser.Parse(message.Body, 0).Transaction.TransactionId.ToString();
        }
        finally
        {
            parsers.Return(parser);
        }
    }
}

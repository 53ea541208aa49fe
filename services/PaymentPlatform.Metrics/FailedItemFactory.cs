using System.Text;
using System.Text.Json;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Metrics;

/// <summary>Makes dead letters out of messages that are not valid events. What is made up derives from the position, so that it is the same whoever reads.</summary>
public static class FailedItemFactory
{
    private const int MaxIdLength = 512;
    private const int MaxTextLength = 2_048;
    private const int MaxErrors = 100;

    public static FailedItem Create(StreamPartition partition, in ReceivedMessage message, ParseResult result) => Create(
        partition,
        message,
        result.Errors,
        result.Errors[0].Constraint,
        TextOf(result.Transaction.TransactionId),
        TextOf(result.Transaction.CorrelationId),
        result.Payload.ToArray());

    /// <summary>For a message on which the parser or the aggregation threw.</summary>
    public static FailedItem CreateInternal(StreamPartition partition, in ReceivedMessage message, Exception exception) => Create(
        partition,
        message,
        [new("", Constraints.Internal, "an event that the platform can work on", null, $"The platform failed on this event ({exception.GetType().Name}); this is a fault of ours, not of the sender's.")],
        Constraints.Internal,
        null,
        null,
        CautiousMask.Apply(message.Message.Body.Span));

    private static FailedItem Create(
        StreamPartition partition, in ReceivedMessage message, IReadOnlyList<ValidationError> errors, string errorType, string? transactionId, string? correlationId, byte[] payload)
    {
        var messageId = TextOf(message.Message.MessageId) ?? Encoding.UTF8.GetString(new PositionIds(partition).Of(message.Offset));
        return new(
            partition,
            message.Offset,
            messageId,
            transactionId,
            // As in the archive: the event's own comes first; an event without any gets its id.
            correlationId ?? TextOf(message.Message.CorrelationId) ?? messageId,
            errorType,
            DatabaseText.Clean(errors[0].Message, MaxTextLength),
            ErrorsJson(errors),
            payload,
            message.EnqueuedAtMicros);
    }

    private static string? TextOf(Utf8Text text) => TextOf(text.Memory);

    private static string? TextOf(ReadOnlyMemory<byte> utf8) => utf8.IsEmpty ? null : DatabaseText.Clean(utf8.Span, MaxIdLength);

    private static byte[] ErrorsJson(IReadOnlyList<ValidationError> errors)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartArray();
            foreach (var error in errors.Take(MaxErrors))
            {
                writer.WriteStartObject();
                writer.WriteString("field"u8, DatabaseText.Clean(error.Field, MaxIdLength));
                writer.WriteString("constraint"u8, error.Constraint);
                writer.WriteString("expected"u8, DatabaseText.Clean(error.Expected, MaxTextLength));
                writer.WriteString("actual"u8, error.Actual is null ? null : DatabaseText.Clean(error.Actual, MaxTextLength));
                writer.WriteString("message"u8, DatabaseText.Clean(error.Message, MaxTextLength));
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return stream.ToArray();
    }
}

using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.BlobArchiver;

/// <summary>
/// Turns messages into rows, valid or not. An event that our own code can't cope with is kept as well, as invalid, so that it neither stops the stream nor vanishes.
/// Not thread-safe.
/// </summary>
internal sealed partial class EventAppender
{
    private static readonly ParsedTransaction Nothing = new();
    private static readonly ValidationError[] InternalError =
        [new("", Constraints.Internal, "an event that the platform can read", null, "The platform failed to read this event; its bytes are kept.")];

    private readonly Func<ReadOnlyMemory<byte>, long, ParseResult> _parse;
    private readonly bool _masks;
    private readonly ILogger _logger;
    private StreamPartition _partition;
    private PositionIds? _positionIds;
    private MessageHeaders? _headers;
    private EventOrigin _origin;
    private byte[] _originId = [];

    public EventAppender(CardDataMode cardData, ILogger logger)
        : this(cardData, new TransactionParser(new() { CardData = cardData }).Parse, logger)
    {
    }

    internal EventAppender(CardDataMode cardData, Func<ReadOnlyMemory<byte>, long, ParseResult> parse, ILogger logger)
    {
        _parse = parse;
        _masks = cardData != CardDataMode.Allow;
        _logger = logger;
    }

    /// <param name="duplicate">The event came before.</param>
    /// <exception cref="Exception">Not even the bare bytes could be kept.</exception>
    public void Append(RawEventBuffer buffer, StreamPartition partition, in ReceivedMessage received, bool duplicate = false)
    {
        if (partition != _partition)
            UsePartition(partition);
        if (!ReferenceEquals(received.Message.Headers, _headers))
            UseHeaders(received.Message.Headers);

        var rows = buffer.RowCount;
        try
        {
            var parsed = _parse(received.Message.Body, received.EnqueuedAtMicros);
            Append(buffer, received, parsed.Payload.Span, parsed.Transaction, parsed.Errors, duplicate);
        }
        catch (Exception e) when (buffer.RowCount == rows)
        {
            // The message of the exception may quote the payload: its type and place are enough to find the fault.
            LogUnreadable(_logger, partition.ToString(), received.Offset, e.GetType().Name, e.StackTrace);
            var payload = _masks ? CautiousMask.Apply(received.Message.Body.Span) : received.Message.Body.ToArray();
            Append(buffer, received, payload, Nothing, InternalError, duplicate);
        }
    }

    private void Append(RawEventBuffer buffer, in ReceivedMessage received, ReadOnlySpan<byte> payload, ParsedTransaction transaction, IReadOnlyList<ValidationError> errors, bool duplicate)
    {
        var message = received.Message;
        var messageId = message.MessageId.Length > 0 ? message.MessageId.Span : _positionIds!.Of(received.Offset);
        buffer.Append(new RawEvent
        {
            Partition = _partition,
            Offset = received.Offset,
            EnqueuedAtMicros = received.EnqueuedAtMicros,
            MessageId = messageId,
            // The event's own comes first; an event without any gets its id, so that every reader finds the same.
            CorrelationId = message.CorrelationId.Length > 0 ? message.CorrelationId.Span : messageId,
            RawPayload = payload,
            Transaction = transaction,
            Errors = errors,
            Origin = _origin,
            OriginId = _originId,
            Duplicate = duplicate,
        });
    }

    private void UsePartition(StreamPartition partition)
    {
        _partition = partition;
        _positionIds = new(partition);
    }

    private void UseHeaders(MessageHeaders headers)
    {
        _headers = headers;
        _origin = headers[HeaderNames.Origin] switch
        {
            "resubmission" => EventOrigin.Resubmission,
            "replay" => EventOrigin.Replay,
            _ => EventOrigin.Live,
        };
        _originId = headers[HeaderNames.OriginId] is { } id ? Encoding.UTF8.GetBytes(id) : [];
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The event at {Partition} offset {Offset} could not be read: {Fault}. It is archived as invalid. {StackTrace}")]
    private static partial void LogUnreadable(ILogger logger, string partition, long offset, string fault, string? stackTrace);
}

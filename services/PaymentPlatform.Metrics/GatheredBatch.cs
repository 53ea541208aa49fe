using System.Diagnostics;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Sketches;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Storage.Database.Rules;
using PaymentPlatform.Streaming;
using PaymentPlatform.Streaming.Repeats;

namespace PaymentPlatform.Metrics;

/// <summary>
/// What the next transaction will commit: figures, dead letters and the span of each partition they come from. Used again once it is cleared.
/// Its memory is at most MaxFailedBytes plus the bodies of one message batch for dead letters, about 600 bytes a key for MaxBatchKeys plus the messages of one batch,
/// and for what is folded about 260 bytes an event for MaxBatchEvents plus the messages of one batch (docs/metrics.md).
/// </summary>
internal sealed partial class GatheredBatch(TransactionParser parser, RepeatFilter repeats, PartitionRules rules, ILogger logger)
{
    private const int MaxLinks = 32;

    private readonly Dictionary<StreamPartition, OffsetRange> _ranges = [];
    private readonly HashSet<ActivityContext> _links = [];
    private readonly Dictionary<StreamPartition, PositionIds> _positionIds = [];
    private MessageHeaders? _lastHeaders;
    private bool _lastIsReplay;

    public FigureAccumulator Figures { get; } = new();

    public List<FailedItem> Failed { get; } = [];

    /// <summary>What the rules gave; its buckets join <see cref="FigureAccumulator.Delta"/> when the batch is closed.</summary>
    public RuleResults Rules { get; } = new();

    /// <summary>Of the partitions in it, as of the end of it.</summary>
    public IReadOnlyCollection<RuleStateChange> RuleStates { get; private set; } = [];

    /// <summary>Partitions whose first events under a version of the rules these are.</summary>
    public IReadOnlyList<RuleActivation> RuleActivations { get; private set; } = [];

    public IReadOnlyCollection<OffsetRange> Ranges => _ranges.Values;

    public IReadOnlyCollection<ActivityContext> Links => _links;

    /// <summary>Which events of idempotency keys these are.</summary>
    public TakenKeys Taken { get; private set; } = TakenKeys.None;

    public bool IsEmpty => _ranges.Count == 0;

    public long Events { get; private set; }

    public long Bytes { get; private set; }

    public long FailedBytes { get; private set; }

    /// <summary>Of the events: microseconds since the Unix epoch; <see cref="long.MaxValue"/> when there are none.</summary>
    public long OldestEnqueuedMicros { get; private set; } = long.MaxValue;

    /// <summary>Of the valid events: microseconds since the Unix epoch; <see cref="long.MinValue"/> when there are none.</summary>
    public long NewestTransactionMicros { get; private set; } = long.MinValue;

    public bool Holds(StreamPartition partition) => _ranges.ContainsKey(partition);

    /// <param name="batch">One that the filter of repeats is prepared for.</param>
    /// <exception cref="InvalidOperationException">The batch does not follow what is held of its partition.</exception>
    public void Add(MessageBatch batch, bool collectLinks)
    {
        var held = _ranges.TryGetValue(batch.Partition, out var range);
        if (held && range.To != batch.FirstOffset)
            throw new InvalidOperationException($"Partition {batch.Partition} goes on at {batch.FirstOffset} instead of {range.To}.");

        foreach (ref readonly var message in batch.Messages)
        {
            if (!ReferenceEquals(message.Message.Headers, _lastHeaders))
                Look(message.Message.Headers, collectLinks);
            OldestEnqueuedMicros = Math.Min(OldestEnqueuedMicros, message.EnqueuedAtMicros);
            // A repeat counts zero times. A replay tells consumers about events again: the figures, and the dead letters, have them already.
            if (!repeats.IsRepeat(batch.Partition, message) && !_lastIsReplay)
                Add(batch.Partition, message);
        }

        _ranges[batch.Partition] = new(batch.Partition, held ? range.From : batch.FirstOffset, batch.NextOffset);
        Events += batch.Messages.Length;
        Bytes += batch.BodyBytes;
    }

    /// <summary>Nothing more comes: takes down what is to be written with it.</summary>
    public void Close(TakenKeys taken)
    {
        Taken = taken;
        (RuleStates, RuleActivations) = rules.Cut(_ranges.Values);
        Figures.Delta.AddBuckets(Rules.Output);
    }

    public void Clear()
    {
        Figures.Clear();
        Rules.Clear();
        (RuleStates, RuleActivations) = ([], []);
        Failed.Clear();
        _ranges.Clear();
        _links.Clear();
        Taken = TakenKeys.None;
        _lastHeaders = null;
        (Events, Bytes, FailedBytes) = (0, 0, 0);
        (OldestEnqueuedMicros, NewestTransactionMicros) = (long.MaxValue, long.MinValue);
    }

    private void Add(StreamPartition partition, in ReceivedMessage message)
    {
        FailedItem failed;
        try
        {
            var result = parser.Parse(message.Message.Body, message.EnqueuedAtMicros);
            if (result.IsValid)
            {
                Figures.Add(result.Transaction, message.EnqueuedAtMicros, StableHash.Of(IdOf(partition, message)));
                NewestTransactionMicros = Math.Max(NewestTransactionMicros, result.Transaction.TransactionTimestampMicros!.Value);
                Evaluate(partition, message, result);
                return;
            }

            failed = FailedItemFactory.Create(partition, message, result);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Poison must never stop the stream.
            failed = FailedItemFactory.CreateInternal(partition, message, exception);
        }

        Failed.Add(failed);
        FailedBytes += failed.RawPayload.Length + failed.Errors.Length;
    }

    /// <summary>A rule on which our own code fails must not make a dead letter of a valid event, whose figures are counted already.</summary>
    private void Evaluate(StreamPartition partition, in ReceivedMessage message, ParseResult result)
    {
        try
        {
            Rules.Begin(partition);
            rules.Evaluate(partition, result, message.Offset, message.EnqueuedAtMicros, Rules.Output);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogRulesFailed(logger, partition, message.Offset, exception.GetType().Name, exception.StackTrace);
        }
    }

    private ReadOnlySpan<byte> IdOf(StreamPartition partition, in ReceivedMessage message)
    {
        if (!message.Message.MessageId.IsEmpty)
            return message.Message.MessageId.Span;
        if (!_positionIds.TryGetValue(partition, out var ids))
            _positionIds[partition] = ids = new(partition);
        return ids.Of(message.Offset);
    }

    private void Look(MessageHeaders headers, bool collectLinks)
    {
        _lastHeaders = headers;
        _lastIsReplay = headers[HeaderNames.Origin] == "replay";
        if (collectLinks && _links.Count < MaxLinks && ActivityContext.TryParse(headers[HeaderNames.TraceParent], headers[HeaderNames.TraceState], isRemote: true, out var context))
            _links.Add(context);
    }

    // The exception's message may quote the payload.
    [LoggerMessage(Level = LogLevel.Error, Message = "The rules failed on the event at {Partition} offset {Offset}: {Fault}. Its figures are counted. {StackTrace}")]
    private static partial void LogRulesFailed(ILogger logger, StreamPartition partition, long offset, string fault, string? stackTrace);
}

using System.Buffers;
using System.Diagnostics;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Ingest;

/// <summary>
/// One request's way through: chunks in, totals out. One chunk is being published while the next is read and evaluated; the publisher keeps
/// a key's order only between calls that have completed, so there is never a second.
/// </summary>
internal sealed partial class IngestRun(
    RequestInfo request, ChunkEvaluator evaluator, LateRejections lateRejections, MessagePublisher publisher, IngestTelemetry telemetry, ILogger<IngestRun> logger)
{
    /// <summary>Rejections listed in an answer; the count goes on.</summary>
    public const int MaxListed = 1000;

    /// <summary>
    /// An answer lists no more rejections once it has this much text of them (so it may hold one more); the count goes on.
    /// No budget covers the text, and a few bytes of a body can be the cause of many: a request holds this much of it for each of its two chunks and for its answer.
    /// </summary>
    public const int MaxListedBytes = 1 << 20;

    private readonly ArrayBufferWriter<byte> _rejected = new();
    private Task? _publishing;
    private int _listed;

    /// <summary>Events that the stream holds.</summary>
    public long Accepted { get; private set; }

    public long RejectedCount { get; private set; }

    /// <summary>
    /// It is settled for all events before this index whether the stream holds them. Those of one chunk from it on may be in the stream
    /// when it went away during their append; none behind them are.
    /// </summary>
    public long NextIndex { get; private set; }

    /// <summary>JSON text: the listed rejections, separated by commas.</summary>
    public ReadOnlyMemory<byte> Rejected => _rejected.WrittenMemory;

    /// <summary>Begins to publish the chunk once the one before is settled. The chunk must stay untouched until it is settled itself.</summary>
    /// <exception cref="StreamUnavailableException"/>
    /// <exception cref="IdempotencyConflictException"/>
    public async ValueTask SubmitAsync(EventChunk chunk)
    {
        evaluator.Evaluate(chunk, HasRoom);
        await SettleAsync();
        _publishing = PublishAsync(chunk);
    }

    /// <summary>Waits until no chunk is being published.</summary>
    public async ValueTask SettleAsync()
    {
        if (_publishing is null)
            return;
        await _publishing;
        _publishing = null;
    }

    /// <summary>Tells at once, while more of the body is awaited, that the chunk before has failed.</summary>
    public ValueTask ThrowIfFailedAsync() => _publishing is { IsFaulted: true } failed ? new(failed) : default;

    /// <summary>Waits until the buffers are free, whatever became of the last chunk.</summary>
    public async ValueTask QuiesceAsync()
    {
        if (_publishing is not null)
            await _publishing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private bool HasRoom => _listed < MaxListed && _rejected.WrittenCount < MaxListedBytes;

    private async Task PublishAsync(EventChunk chunk)
    {
        using var activity = IngestTelemetry.StartPublish(chunk);
        try
        {
            IReadOnlyList<IdempotencyClaim> claims;
            IReadOnlyList<ClaimOutcome> outcomes = [];
            while (true)
            {
                claims = Claims(chunk);
                if (chunk.MessageCount == 0 && claims.Count == 0)
                    break;
                try
                {
                    // Never given up half-way: the publisher reads our buffers until it is done, and what it commits counts.
                    outcomes = await publisher.PublishAsync(chunk.Messages, claims, CancellationToken.None);
                    break;
                }
                catch (ObjectDisposedException e)
                {
                    throw new StreamUnavailableException("The service is stopping.", e);
                }
                catch (MessageTooLargeException e) when (chunk.MessageCount > 0)
                {
                    List<int> orders = [];
                    var message = chunk.Remove(e.Index, orders);
                    foreach (var order in orders)
                        lateRejections.AddTooLarge(chunk, order, message, e.Limit, HasRoom);
                }
            }

            Take(chunk, claims, outcomes);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            throw;
        }
    }

    private IReadOnlyList<IdempotencyClaim> Claims(EventChunk chunk) => request.IdempotencyKey is null
        ? chunk.EventClaims
        : [new(IdempotencyKey.ClaimKey(request.IdempotencyKey), chunk.Number, chunk.BodyHash, ChunkOutcome.Write(chunk, MaxListed - _listed, MaxListedBytes - _rejected.WrittenCount), 0, chunk.MessageCount, chunk.FirstIndex, chunk.MessageOrders)];

    private void Take(EventChunk chunk, IReadOnlyList<IdempotencyClaim> claims, IReadOnlyList<ClaimOutcome> outcomes)
    {
        if (outcomes.Count != claims.Count)
            throw new InvalidOperationException($"The publisher answered {claims.Count} claims with {outcomes.Count} outcomes.");
        if (request.IdempotencyKey is not null && outcomes[0].IsRepeat)
            TakeRepeat(chunk, outcomes[0]);
        else
            TakeNew(chunk, outcomes);
        NextIndex = chunk.FirstIndex + chunk.Count;
    }

    private void TakeRepeat(EventChunk chunk, ClaimOutcome outcome)
    {
        if (!outcome.BodyHash.Span.SequenceEqual(chunk.BodyHash))
            throw new IdempotencyConflictException();
        var earlier = ChunkOutcome.Read(outcome.Outcome);
        Accepted += earlier.Accepted;
        RejectedCount += earlier.RejectedCount;
        if (earlier.Listed > 0)
        {
            if (_listed > 0)
                _rejected.Write(","u8);
            _rejected.Write(earlier.Rejected.Span);
            _listed += earlier.Listed;
        }

        telemetry.Repeated(earlier.Accepted);
        LogRepeat(chunk.Number, earlier.Accepted);
    }

    private void TakeNew(EventChunk chunk, IReadOnlyList<ClaimOutcome> outcomes)
    {
        long taken = chunk.MessageCount;
        for (var i = 0; i < chunk.EventClaims.Count; i++)
        {
            if (!outcomes[i].IsRepeat)
                continue;
            taken--;
            if (!outcomes[i].BodyHash.Span.SequenceEqual(chunk.EventClaims[i].BodyHash.Span))
                RejectConflict(chunk, i);
        }

        var accepted = chunk.Count - chunk.Rejections.Count;
        Accepted += accepted;
        RejectedCount += chunk.Rejections.Count;
        _listed += chunk.Rejections.WriteTo(_rejected, MaxListed - _listed, MaxListedBytes - _rejected.WrittenCount, separatorFirst: _listed > 0);
        telemetry.Accepted(taken);
        foreach (var constraint in chunk.Rejections.Constraints)
            telemetry.Rejected(constraint);
        if (accepted > taken)
            telemetry.Repeated(accepted - taken);
        LogPublished(chunk.Number, taken, chunk.Rejections.Count);
    }

    private void RejectConflict(EventChunk chunk, int claim)
    {
        var message = chunk.Messages.Span[claim];
        lateRejections.AddConflict(chunk, chunk.OrderOf(claim), message, HasRoom);
        foreach (var repeat in chunk.Repeats)
        {
            if (repeat.Claim == claim)
                lateRejections.AddConflict(chunk, repeat.Order, message, HasRoom);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Chunk {Chunk}: {Accepted} events published, {Rejected} rejected.")]
    private partial void LogPublished(int chunk, long accepted, int rejected);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Chunk {Chunk}: taken before, {Accepted} events.")]
    private partial void LogRepeat(int chunk, long accepted);
}

using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query.Replay;

/// <summary>
/// One attempt at a replay: reads, and publishes in chunks. The claim of a chunk commits with its events and remembers the position behind it: a chunk that is in the target already, from an attempt that died before it could
/// say so or from a process that still works on the replay, is left out, and the run goes on behind it. Over a broker a chunk that was half sent is sent again, with the same identities: consumers that know them count each once.
/// </summary>
internal sealed class ReplayRun(ReplayJob job, ReplaySource source, TimeProvider time)
{
    private const int MaxPageEvents = 20_000;
    private const int MinPageEvents = 100;

    /// <summary>How long a page lasts at a slow rate.</summary>
    private const double PageSeconds = 30;

    private const int MaxChunkBytes = 1 << 20;

    /// <summary>Skipped events that are named; each claim from then on has them.</summary>
    private const int MaxNamed = 10, MaxNameBytes = 200;

    private readonly Queue<ReplayedEvent> _pending = [];
    private readonly MessageHeaders _headers = new([new(HeaderNames.Origin, "replay"), new(HeaderNames.OriginId, job.Id.ToString())]);
    private ReplayPosition _position = job.Position;
    private ReplayOutline? _outline;
    private long _began;

    /// <summary>May be asked for while it runs.</summary>
    public ReplayProgress Progress
    {
        get
        {
            var position = Volatile.Read(ref _position);
            var seconds = Volatile.Read(ref _began) is not 0 and var began ? time.GetElapsedTime(began).TotalSeconds : 0;
            return new(position, Volatile.Read(ref _outline)?.Estimate(position), seconds > 0 ? (position.EventsDone - job.Position.EventsDone) / seconds : null);
        }
    }

    /// <summary>Returns once everything is in the target.</summary>
    /// <exception cref="ReplayFailedException"/>
    /// <exception cref="ArchiveFileException"/>
    /// <exception cref="StreamUnavailableException"/>
    public async Task RunAsync(MessagePublisher target, CancellationToken cancellationToken)
    {
        var bucket = job.Rate is { } rate ? new TokenBucket(rate, job.ChunkEvents, time) : null;
        var pageEvents = (int)Math.Clamp((job.Rate ?? double.MaxValue) * PageSeconds, MinPageEvents, MaxPageEvents);
        var (read, isLast) = (_position.After, false);
        while (true)
        {
            while (TryCut(isLast, out var chunk))
            {
                if (bucket is not null)
                    await bucket.TakeAsync(chunk.Count, cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
                if (await PublishAsync(target, chunk))
                    continue;
                _pending.Clear();
                (read, isLast) = (_position.After, false);
            }

            if (isLast)
                return;
            var page = await source.ReadAsync(job, read, pageEvents, cancellationToken);
            Volatile.Write(ref _outline, page.Outline);
            foreach (var next in page.Events)
                _pending.Enqueue(next);
            (read, isLast) = (page.Events is [.., var last] ? last.At : read, page.IsLast);
        }
    }

    /// <summary>A chunk ends at a number of events or bytes, and nowhere else before the last event: where it ended in an attempt before.</summary>
    private bool TryCut(bool isLast, [NotNullWhen(true)] out List<ReplayedEvent>? chunk)
    {
        var (count, bytes) = (0, 0);
        foreach (var next in _pending)
        {
            if (count == job.ChunkEvents || (count > 0 && bytes + next.Bytes > MaxChunkBytes))
                break;
            bytes += next.Bytes;
            count++;
        }

        var isWhole = count == job.ChunkEvents || count < _pending.Count || (isLast && count > 0);
        chunk = isWhole ? new(count) : null;
        for (; isWhole && count > 0; count--)
            chunk!.Add(_pending.Dequeue());
        return isWhole;
    }

    /// <returns>False when the position is another one than behind the chunk.</returns>
    private async Task<bool> PublishAsync(MessagePublisher target, List<ReplayedEvent> chunk)
    {
        var start = _position;
        var hash = SHA256.HashData(start.ToBytes());
        if (_began == 0)
            Volatile.Write(ref _began, time.GetTimestamp());
        var (next, outcome) = await PublishAsync(target, chunk, start, hash);
        if (outcome.IsRepeat && !outcome.BodyHash.Span.SequenceEqual(hash))
            throw new ReplayFailedException($"Chunk {start.NextChunk} was published from another position than this attempt has reached. That is a defect of the platform: look at replays and ingest_idempotency.");
        var reached = outcome.IsRepeat ? ReplayPosition.Parse(outcome.Outcome.Span) : next;
        Volatile.Write(ref _position, reached);
        return reached == next;
    }

    /// <summary>
    /// The chunk, without what is too large for the target where that is to be left out; the claim of a chunk of which nothing is left is taken all the same.
    /// An event's identity over a broker is its place in the whole chunk: another attempt may leave out others, once the target takes more.
    /// </summary>
    private async Task<(ReplayPosition Next, ClaimOutcome Outcome)> PublishAsync(MessagePublisher target, List<ReplayedEvent> chunk, ReplayPosition start, byte[] hash)
    {
        var next = start with { NextChunk = start.NextChunk + 1, After = chunk[^1].At };
        var left = chunk.Select((e, order) => (Event: e, Order: order)).ToList();
        while (true)
        {
            next = next with { EventsDone = start.EventsDone + left.Count };
            var claim = new IdempotencyClaim($"replay/{job.Id}/{start.NextChunk}", 0, hash, next.ToBytes(), 0, left.Count, Orders: left.ConvertAll(l => l.Order).ToArray());
            var messages = left.ConvertAll(l => new Message(l.Event.Body, l.Event.MessageId, l.Event.CorrelationId, l.Event.PartitionKey, _headers)).ToArray();
            try
            {
                // Never given up half-way: what it commits counts.
                return (next, (await target.PublishAsync(messages, [claim], CancellationToken.None))[0]);
            }
            catch (MessageTooLargeException exception) when (left.Count > 0)
            {
                var large = left[exception.Index].Event;
                if (!job.SkipsOversized)
                {
                    throw new ReplayFailedException(
                        $"The event with the message id '{Encoding.UTF8.GetString(large.MessageId)}' has {exception.Size} bytes, and the target takes {exception.Limit} at most. Let the target take more and resume, or resume with on_oversized=skip, which leaves out such events and counts them.",
                        exception);
                }

                left.RemoveAt(exception.Index);
                next = Skip(next, large);
            }
        }
    }

    private static ReplayPosition Skip(ReplayPosition position, ReplayedEvent large)
    {
        var named = position.Skipped ?? [];
        return position with
        {
            EventsSkipped = position.EventsSkipped + 1,
            Skipped = named.Count == MaxNamed
                ? named
                : [.. named, new(Encoding.UTF8.GetString(large.MessageId.AsSpan(0, Math.Min(large.MessageId.Length, MaxNameBytes))).Replace('\0', '\uFFFD'), large.At.LogId, large.At.Partition, large.At.Offset, large.Body.Length)],
        };
    }
}

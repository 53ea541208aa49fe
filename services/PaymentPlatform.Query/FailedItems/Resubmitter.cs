using System.Security.Cryptography;
using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>
/// Sends dead letters into the stream again, each once: what goes out is settled and marked in the database, then published under a claim that commits with the append (over brokers: that consumers count once), then the mark is ended.
/// Whoever meets a mark, another call or <see cref="ResubmissionFinisher"/>, may do the last two steps again.
/// </summary>
/// <param name="publisher">Takes events that were looked at for card data already.</param>
internal sealed partial class Resubmitter(
    DatabaseTurns database, MessagePublisher publisher, TransactionParserOptions parserOptions, StreamOutage outage, QueryTelemetry telemetry, TimeProvider timeProvider, ILogger<Resubmitter> logger)
{
    /// <summary>Payloads of this many items are in memory at once.</summary>
    public const int MaxItems = 100;

    /// <summary>Of their payloads, unless a single one is larger.</summary>
    public const int MaxBytes = 4 << 20;

    private const int MarksAStep = 4;

    /// <param name="ids">At most <see cref="MaxItems"/>.</param>
    /// <param name="corrected">Goes out in place of the item's own payload.</param>
    /// <returns>One result an id, in order.</returns>
    /// <exception cref="StreamUnavailableException">What was begun is ended later; asked for again it goes out once all the same.</exception>
    public async Task<List<FailedItemResult>> ResubmitAsync(IReadOnlyList<long> ids, byte[]? corrected, string by, string? notes, CancellationToken cancellationToken)
    {
        var (letters, standing) = await database.ExecuteAsync(
            async (connection, token) => (await FailedItemStore.ReadAsync(connection, ids, token), await FailedItemStore.StandingAsync(connection, ids, token)), cancellationToken);
        var prepared = Prepare(letters, corrected);
        var fresh = prepared.Values.Where(p => p.Errors.Count == 0 && standing[p.Event.ItemId] is { Status: FailedItemStatus.Pending, Sending: false }).Select(p => p.Event).ToList();
        var report = new SendReport();
        if (fresh.Count > 0 || standing.Values.Any(s => s.Sending))
        {
            // From here on to the end, though the caller may go away: the finisher would do it, but only in a while.
            var marks = await database.ExecuteAsync(
                async (connection, token) =>
                {
                    if (fresh.Count > 0)
                        await FailedItemStore.BeginAsync(connection, fresh, by, notes, token);
                    return await FailedItemStore.ReadMarksAsync(connection, ids, token);
                },
                CancellationToken.None);
            await SendAsync(marks.FindAll(m => m.Event.PayloadSha256.AsSpan().SequenceEqual(prepared[m.Event.ItemId].Event.PayloadSha256)), report, CancellationToken.None);
            standing = await database.ExecuteAsync((connection, token) => FailedItemStore.StandingAsync(connection, ids, token), CancellationToken.None);
        }

        return [.. ids.Select(id => standing.TryGetValue(id, out var now) ? Judge(prepared[id], now, report) : new(id, FailedItemOutcome.NotFound, null, []))];
    }

    /// <summary>Ends what others began that long ago and did not end.</summary>
    /// <returns>How many items it ended.</returns>
    /// <exception cref="StreamUnavailableException"/>
    public async Task<int> FinishAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var report = new SendReport();
        try
        {
            for (var after = 0L; ;)
            {
                var marks = await database.ExecuteAsync((connection, token) => FailedItemStore.ReadOldMarksAsync(connection, age, after, MarksAStep, token), cancellationToken);
                if (marks.Count == 0)
                    return report.Ended.Count;
                await SendAsync(marks, report, cancellationToken);
                after = marks[^1].Event.ItemId;
            }
        }
        finally
        {
            telemetry.FailedItemsChanged(FailedItemActions.Resubmit, "finished", report.Ended.Count);
        }
    }

    private Dictionary<long, Prepared> Prepare(List<DeadLetter> letters, byte[]? corrected)
    {
        var parser = new TransactionParser(parserOptions);
        var now = Timestamps.ToMicros(timeProvider.GetUtcNow().UtcDateTime);
        return letters.ToDictionary(letter => letter.Id, letter =>
        {
            var result = parser.Parse(corrected ?? letter.RawPayload, now);
            var (transaction, payload) = (result.Transaction, result.Payload.ToArray());
            // Keys and headers as ingest makes them, with the item's correlation id in place of the request's.
            return new Prepared(
                new(
                    letter.Id, payload, SHA256.HashData(payload), transaction.PartitionKey.Memory.ToArray(),
                    transaction.CorrelationId.Length > 0 ? transaction.CorrelationId.Memory.ToArray() : Encoding.UTF8.GetBytes(letter.CorrelationId ?? ""), result.IsMasked),
                [.. result.Errors]);
        });
    }

    private async Task SendAsync(IReadOnlyList<SendMark> marks, SendReport report, CancellationToken cancellationToken)
    {
        if (marks.Count == 0)
            return;
        IReadOnlyList<ClaimOutcome> outcomes;
        try
        {
            outcomes = await publisher.PublishAsync(marks.Select(m => m.Event.ToMessage()).ToArray(), [.. marks.Select((m, i) => m.Event.ToClaim(m.ClaimKey, i))], cancellationToken);
            outage.Over();
        }
        catch (MessageTooLargeException) when (marks.Count > 1)
        {
            foreach (var mark in marks)
                await SendAsync([mark], report, cancellationToken);
            return;
        }
        catch (MessageTooLargeException e)
        {
            await database.ExecuteAsync((connection, token) => FailedItemStore.WithdrawAsync(connection, marks, token), cancellationToken);
            report.Refused[marks[0].Event.ItemId] = new("", Constraints.Size, $"at most {e.Limit} bytes", $"{e.Size} bytes", "The event is too large.");
            return;
        }
        catch (StreamUnavailableException e)
        {
            outage.Report(e.Message);
            throw;
        }

        var sent = marks.Where((m, i) => outcomes[i].BodyHash.Span.SequenceEqual(m.Event.PayloadSha256)).ToList();
        foreach (var mark in marks.Except(sent))
            LogForeignClaim(mark.Event.ItemId, mark.ClaimKey);
        report.Ended.UnionWith(await database.ExecuteAsync((connection, token) => FailedItemStore.EndAsync(connection, sent, token), cancellationToken));
    }

    private static FailedItemResult Judge(Prepared prepared, FailedItemStanding now, SendReport report)
    {
        var id = prepared.Event.ItemId;
        if (report.Refused.TryGetValue(id, out var refusal))
            return new(id, FailedItemOutcome.Invalid, now.Status, [refusal]);
        var outcome = now switch
        {
            _ when now.HasSent(prepared.Event.PayloadSha256) => report.Ended.Contains(id) ? FailedItemOutcome.Done : FailedItemOutcome.Unchanged,
            { Status: not FailedItemStatus.Pending } => FailedItemOutcome.Ended,
            { Sending: true } => FailedItemOutcome.Sending,
            _ when prepared.Errors.Count > 0 => FailedItemOutcome.Invalid,
            // Another call has begun it meanwhile, and withdrawn it again.
            _ => FailedItemOutcome.Sending,
        };
        return new(id, outcome, now.Status, outcome == FailedItemOutcome.Invalid ? prepared.Errors : []);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The resubmission of dead letter {Id} can't end: its claim {Key} stands for another payload")]
    private partial void LogForeignClaim(long id, string key);

    private sealed record Prepared(Resubmission Event, IReadOnlyList<ValidationError> Errors);

    private sealed class SendReport
    {
        /// <summary>Items whose marks this sender ended.</summary>
        public HashSet<long> Ended { get; } = [];

        /// <summary>Items that the stream does not take.</summary>
        public Dictionary<long, ValidationError> Refused { get; } = [];
    }
}

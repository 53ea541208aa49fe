using System.Text.Json;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>What can be done about dead letters, one by one and many at once.</summary>
internal sealed class FailedItemActions(DatabaseTurns database, Resubmitter resubmitter, QueryTelemetry telemetry)
{
    /// <summary>Action of the instruments, as are the others.</summary>
    public const string Resubmit = "resubmit";

    private const string Resolve = "resolve";
    private const string Discard = "discard";

    /// <summary>Refused items that an answer lists, and errors of each.</summary>
    private const int MaxRefusals = 100, MaxRefusalErrors = 10;

    /// <param name="corrected">Goes out in place of the item's own payload.</param>
    public async Task<FailedItemResult> ResubmitAsync(long id, byte[]? corrected, string by, string? notes, CancellationToken cancellationToken) =>
        (await ResubmitAsync([id], corrected, by, notes, cancellationToken))[0];

    /// <param name="status"><see cref="FailedItemStatus.Resolved"/> or <see cref="FailedItemStatus.Discarded"/>.</param>
    public async Task<FailedItemResult> CloseAsync(long id, string status, string by, string? notes, CancellationToken cancellationToken) =>
        (await CloseAsync([id], status, by, notes, cancellationToken))[0];

    /// <summary>The next step of a change by filter.</summary>
    /// <param name="status">Where the items are to be.</param>
    public async Task<FailedItemsAnswer> ChangeAsync(FailedItemsRequest request, string status, string by, CancellationToken cancellationToken)
    {
        // One more than the step takes tells whether there is a next one.
        var chosen = await database.ExecuteAsync((connection, token) => FailedItemStore.ChooseAsync(connection, request.Filter, request.After, request.Limit + 1, token), cancellationToken);
        var isLast = chosen.Count <= request.Limit;
        if (!isLast)
            chosen.RemoveAt(request.Limit);
        var results = new List<FailedItemResult>();
        if (status != FailedItemStatus.Resubmitted)
        {
            results.AddRange(await CloseAsync([.. chosen.Select(c => c.Id)], status, by, request.Notes, cancellationToken));
        }
        else
        {
            foreach (var piece in Pieces(chosen))
                results.AddRange(await ResubmitAsync(piece, null, by, request.Notes, cancellationToken));
        }

        var after = chosen.Count == 0 ? request.After : chosen[^1].Id;
        var remaining = isLast ? 0 : await CountAsync(request, chosen.Count, after, cancellationToken);
        var refused = results.FindAll(r => !r.IsDone);
        return new(
            results.Count - refused.Count, refused.Count, remaining, isLast ? null : request.CursorOf(after, remaining),
            [.. refused.Take(MaxRefusals).Select(r => new FailedItemRefusal(r.Id, r.Detail, [.. r.Errors.Take(MaxRefusalErrors)]))]);
    }

    /// <summary>Counts once: a step that goes on takes what it has done off what the one before left.</summary>
    private Task<long> CountAsync(FailedItemsRequest request, int taken, long after, CancellationToken cancellationToken) => request.Remaining is { } left
        ? Task.FromResult(Math.Max(1, left - taken))
        : database.ExecuteAsync((connection, token) => FailedItemStore.CountAsync(connection, request.Filter, after, token), cancellationToken);

    private async Task<List<FailedItemResult>> ResubmitAsync(IReadOnlyList<long> ids, byte[]? corrected, string by, string? notes, CancellationToken cancellationToken) =>
        Counted(Resubmit, await resubmitter.ResubmitAsync(ids, corrected, by, notes, cancellationToken));

    private async Task<List<FailedItemResult>> CloseAsync(IReadOnlyList<long> ids, string status, string by, string? notes, CancellationToken cancellationToken)
    {
        var (closed, standing) = await database.ExecuteAsync(
            async (connection, token) => (await FailedItemStore.CloseAsync(connection, ids, status, by, notes, token), await FailedItemStore.StandingAsync(connection, ids, token)), cancellationToken);
        return Counted(status == FailedItemStatus.Resolved ? Resolve : Discard, [.. ids.Select(id => Judge(id, standing.GetValueOrDefault(id), status, closed.Contains(id)))]);
    }

    private static FailedItemResult Judge(long id, FailedItemStanding? now, string status, bool isDone) => new(
        id,
        now is null ? FailedItemOutcome.NotFound
        : isDone ? FailedItemOutcome.Done
        : now.Status == status ? FailedItemOutcome.Unchanged
        : now.Status == FailedItemStatus.Pending ? FailedItemOutcome.Sending
        : FailedItemOutcome.Ended,
        now?.Status,
        []);

    private List<FailedItemResult> Counted(string action, List<FailedItemResult> results)
    {
        foreach (var outcome in results.CountBy(r => r.Outcome))
            telemetry.FailedItemsChanged(action, JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.Key.ToString()), outcome.Value);
        return results;
    }

    /// <summary>What a <see cref="Resubmitter"/> takes at once.</summary>
    private static IEnumerable<List<long>> Pieces(List<(long Id, int Bytes)> items)
    {
        var piece = new List<long>();
        var bytes = 0L;
        foreach (var item in items)
        {
            if (piece.Count == Resubmitter.MaxItems || (piece.Count > 0 && bytes + item.Bytes > Resubmitter.MaxBytes))
            {
                yield return piece;
                (piece, bytes) = ([], 0);
            }

            piece.Add(item.Id);
            bytes += item.Bytes;
        }

        if (piece.Count > 0)
            yield return piece;
    }
}

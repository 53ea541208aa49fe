using System.Text.Json;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Query.Audit;

/// <summary>What happened to a payment, step by step.</summary>
internal static class AuditTimeline
{
    /// <summary>Of a correction that its step names.</summary>
    private const int MaxFields = 10;

    /// <summary>In the order of time; what is known to follow something at the same moment comes after it.</summary>
    public static IEnumerable<AuditStep> Of(AuditTrail trail) => Happened(trail).Concat(trail.Events.Select(Of)).Concat(Files(trail)).Concat(trail.FailedItems.SelectMany(Of)).Concat(trail.Replays.SelectMany(Of)).Concat(Holds(trail)).OrderBy(s => s.At);

    /// <summary>A short name of an event for people: its place in the trail is its number.</summary>
    public static string NameOf(AuditTrail trail, AuditPosition position) => trail.Events.Index().FirstOrDefault(e => e.Item.Position == position) is { Item: not null } e ? $"event {e.Index + 1}" : position.ToString();

    /// <summary>By the events' own time, which is the sender's word. A repeat, a replay and a resubmission tell of the same.</summary>
    private static IEnumerable<AuditStep> Happened(AuditTrail trail) => trail.Events.Index().Where(e => e.Item.TransactionTime is not null)
        .GroupBy(e => (At: e.Item.TransactionTime!.Value, Doubt: Doubt(e.Item), What: Describe(e.Item)), e => e.Index + 1)
        .Select(g => new AuditStep(g.Key.At, "Happened", $"Event {string.Join(", ", g)}, by its own time{g.Key.Doubt}: {g.Key.What}"));

    private static AuditStep Of(AuditEvent e, int index)
    {
        var (what, by) = e.Origin switch
        {
            FailedItems.Resubmission.Origin => ("Resubmission arrived", $", of dead letter {e.OriginId}"),
            "replay" => ("Brought again by a replay", $", of replay {e.OriginId}"),
            _ => ("Arrived", ""),
        };
        return new(e.EnqueuedAt, what, $"Event {index + 1}{by}{(e.IsDuplicate ? ", a repeat" : "")}{Doubt(e)}: {Describe(e)}, at {e.Position}");
    }

    private static string Doubt(AuditEvent e) => e.IsValid ? "" : ", not valid";

    private static string Describe(AuditEvent e)
    {
        var columns = JsonElement.Parse(e.Json, new() { MaxDepth = EventJson.WriterOptions.MaxDepth });
        var (amount, currency, status) = (AuditPage.Amount(columns), Value("currency"), Value("payment_status"));
        return string.Join(' ', new[] { status, amount, currency }.OfType<string>().DefaultIfEmpty("no readable amount or status"));

        string? Value(string name) => AuditPage.Value(columns.GetProperty(name));
    }

    private static IEnumerable<AuditStep> Of(AuditFailedItem item)
    {
        yield return new(item.FailedAt, "Set aside", $"As dead letter {item.Id}, {item.ErrorType}: {item.ErrorMessage}");
        foreach (var change in item.History)
        {
            var what = change.Action switch
            {
                "resubmission_begun" => "Resubmission begun",
                "resubmission_withdrawn" => "Resubmission withdrawn",
                "resubmitted" when change.PayloadSha256 != item.PayloadSha256 => "Corrected and resubmitted",
                "resubmitted" => "Resubmitted as it was",
                "resolved" => "Resolved",
                _ => "Discarded",
            };
            var changed = change.Action == "resubmitted" && item.Correction is { Count: > 0 } changes ? $"; changed: {string.Join(", ", changes.Select(c => c.Field).Take(MaxFields))}{(changes.Count > MaxFields ? ", …" : "")}" : "";
            yield return new(change.At, what, $"Dead letter {item.Id}, by {change.By}{(change.Notes is null ? "" : $": {change.Notes}")}{changed}");
        }
    }

    private static IEnumerable<AuditStep> Of(AuditReplay audit)
    {
        if (audit.Replay is not { } replay)
            yield break;
        yield return new(replay.RequestedAt, "Replay asked for", $"Replay {replay.Id} into {replay.Target}, by {replay.RequestedBy}");
        if (replay.EndedAt is { } ended)
            yield return new(ended, $"Replay {replay.State}", $"Replay {replay.Id}, {Counted.Of(replay.EventsDone, "event")} in {replay.Target}");
    }

    /// <summary>What was written into one file at one moment is one step.</summary>
    private static IEnumerable<AuditStep> Files(AuditTrail trail)
    {
        var steps = trail.Events.Index().SelectMany(e => Files(e.Item).Select(s => (Step: s, e.Index)));
        return steps.GroupBy(s => s.Step, s => s.Index + 1).Select(g => g.Key with { Detail = $"Event {string.Join(", ", g)}, into {g.Key.Detail}" });
    }

    private static IEnumerable<AuditStep> Files(AuditEvent e)
    {
        // An event that was written again says when that was, not when it was archived first.
        var first = e.EarlierFiles.Count > 0 ? e.EarlierFiles[0] : e.File;
        if (e.ArchivedAt is { } archived)
            yield return new(first?.ArchivedAt < archived ? first.ArchivedAt : archived, "Archived", first?.BlobName ?? e.BlobName);
        foreach (var original in e.EarlierFiles)
        {
            if (e.EarlierFiles.Append(e.File).FirstOrDefault(f => f?.FileId == original.SupersededBy) is not { } next)
                continue;
            if (original.State == ManifestState.Lost)
                yield return new(next.ArchivedAt, "Lost, written again", $"{next.BlobName}: the store had lost or damaged {original.BlobName}");
            else
                yield return Merged(e, next);
        }
    }

    /// <summary>The originals of a merged file that was lost lead to the one that was written in its place.</summary>
    private static AuditStep Merged(AuditEvent e, AuditFile into)
    {
        while (e.EarlierFiles.FirstOrDefault(f => f.State == ManifestState.Lost && f.SupersededBy == into.FileId) is { } lost)
            into = lost;
        return new(into.ArchivedAt, "Merged into another file", into.BlobName);
    }

    private static IEnumerable<AuditStep> Holds(AuditTrail trail) => (trail.LegalHolds ?? []).SelectMany(hold => (AuditStep?[])[
        new(hold.PlacedAt, "Legal hold placed", $"Hold {hold.Id}, by {hold.PlacedBy}: {hold.Reason}"),
        hold.ReleasedAt is { } released ? new(released, "Legal hold released", $"Hold {hold.Id}, by {hold.ReleasedBy}") : null,
    ]).OfType<AuditStep>();
}

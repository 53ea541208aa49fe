using System.Globalization;
using System.Text;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Scenarios;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Faults.Model;

/// <summary>What must be true when everything is drained: recomputed from the events that were sent and the answers that came, with none of the product's code.</summary>
internal sealed class RunModel(RunPlace place, IReadOnlyList<SentEvent> events)
{
    /// <returns>Where each event is.</returns>
    /// <exception cref="InvariantBrokenException">Something is not as it must be.</exception>
    public async Task<IReadOnlyDictionary<SentEvent, ArchivedEvent>> CheckAsync(PlatformState state, CancellationToken cancellationToken)
    {
        state.Check();
        var archived = await ArchiveReader.ReadAsync(place, state.Files, cancellationToken);
        InvariantBrokenException.Unless(place.Observer.Rewritten.Count == 0, "published blobs never change", () => $"other bytes were taken under {string.Join(", ", place.Observer.Rewritten)}");
        CheckFiles(state, archived);
        var found = CheckEvents(archived);
        CheckOrder(found);
        await CheckFiguresAsync(found, cancellationToken);
        await CheckRulesAsync(found, cancellationToken);
        await CheckDeadLettersAsync(found, cancellationToken);
        await CheckListingAsync(state, cancellationToken);
        await CheckCardDataAsync(cancellationToken);
        return found;
    }

    /// <summary>The manifest's ranges say exactly what is in the files.</summary>
    private static void CheckFiles(PlatformState state, IReadOnlyList<ArchivedEvent> archived)
    {
        var rows = archived.GroupBy(a => a.File).ToDictionary(g => g.Key, g => g.ToList());
        foreach (var file in state.Files)
        {
            var mine = rows.GetValueOrDefault(Path.GetFileName(file.Name)) ?? [];
            InvariantBrokenException.Unless(mine.Count == file.Rows, "manifest equals files", () => $"{file.Name} has {mine.Count} rows, the manifest says {file.Rows}");
            var positions = mine.Select(a => (a.Partition, a.Offset)).ToHashSet();
            var announced = state.Ranges.Where(r => r.File == file.Name).SelectMany(r => Enumerable.Range(0, (int)(r.Next - r.First)).Select(i => (r.Partition, r.First + i)));
            InvariantBrokenException.Unless(positions.SetEquals(announced), "manifest equals files", () => $"{file.Name} holds other offsets than its ranges say");
        }

        var total = state.Ends.Values.Sum();
        InvariantBrokenException.Unless(
            archived.Count == total && archived.Select(a => (a.Partition, a.Offset)).Distinct().Count() == total, "every event exactly once in the archive", () => $"the stream has {total} events, the archive {archived.Count} rows");
    }

    private Dictionary<SentEvent, ArchivedEvent> CheckEvents(IReadOnlyList<ArchivedEvent> archived)
    {
        var byBytes = events.ToDictionary(e => Convert.ToBase64String(e.Archived));
        var found = new Dictionary<SentEvent, ArchivedEvent>();
        foreach (var row in archived)
        {
            InvariantBrokenException.Unless(byBytes.TryGetValue(Convert.ToBase64String(row.Payload), out var sent), "exact bytes", () => $"nobody sent what is at {row.Partition}/{row.Offset}: {Encoding.UTF8.GetString(row.Payload)}");
            InvariantBrokenException.Unless(found.TryAdd(sent!, row), "every event exactly once in the archive", () => $"tx-{sent!.Number} ({sent.Fate}) is at {row.Partition}/{row.Offset} and at {found[sent].Partition}/{found[sent].Offset}");
            InvariantBrokenException.Unless(sent!.Fate is EventFate.Accepted or EventFate.Unknown, "no rejected event anywhere", () => $"tx-{sent.Number} was {sent.Fate}, and is at {row.Partition}/{row.Offset}");
            InvariantBrokenException.Unless(row.IsValid == sent.IsValid && !row.IsDuplicate, "validity", () => $"tx-{sent.Number} is archived as valid: {row.IsValid}, duplicate: {row.IsDuplicate}");
        }

        foreach (var sent in events.Where(e => e.Fate == EventFate.Accepted))
            InvariantBrokenException.Unless(found.ContainsKey(sent), "every accepted event in the archive", () => $"tx-{sent.Number} was accepted, and is nowhere");
        foreach (var call in events.Where(e => e.Call != 0).GroupBy(e => e.Call))
            InvariantBrokenException.Unless(call.Select(found.ContainsKey).Distinct().Count() == 1, "a call is taken whole or not at all", () => $"of call {call.Key}'s {call.Count()} events {call.Count(found.ContainsKey)} are there");
        return found;
    }

    /// <summary>Where a sender had its answer for one event before it sent the next, the stream has them in that order, in the partition of their key.</summary>
    private static void CheckOrder(Dictionary<SentEvent, ArchivedEvent> found)
    {
        foreach (var key in found.GroupBy(f => f.Key.Key))
            InvariantBrokenException.Unless(key.Select(f => f.Value.Partition).Distinct().Count() == 1, "order per partition", () => $"the events of key {key.Key} are in several partitions");
        foreach (var line in found.Where(f => f.Key.Order.Sender != 0 && f.Key.Fate == EventFate.Accepted).GroupBy(f => (f.Key.Order.Sender, f.Key.Key)))
        {
            var last = -1L;
            foreach (var (sent, row) in line.OrderBy(f => f.Key.Order.Sequence))
            {
                InvariantBrokenException.Unless(row.Offset > last, "order per partition", () => $"tx-{sent.Number} of key {sent.Key} is at {row.Offset}, behind an event that was sent later ({last})");
                last = row.Offset;
            }
        }
    }

    private async Task CheckFiguresAsync(Dictionary<SentEvent, ArchivedEvent> found, CancellationToken cancellationToken)
    {
        var counted = found.Keys.Where(e => e.IsValid).Select(e => e.Figures!).ToList();
        var figures = counted.GroupBy(f => (Window: f.Window(TimeSpan.FromMinutes(5)), f.Method, f.Currency, f.Status))
            .Select(g => Line(Seconds(g.Key.Window), g.Key.Method, g.Key.Currency, g.Key.Status, g.Count(), Decimal(g.Sum(f => f.Amount)), Decimal(g.Min(f => f.Amount)), Decimal(g.Max(f => f.Amount))));
        await AssertSameAsync(
            "figures equal recomputation", figures,
            "SELECT concat_ws('|', extract(epoch FROM window_start)::bigint, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount) FROM payment_metrics_5m", cancellationToken);

        TimeSpan[] sizes = [TimeSpan.FromMinutes(5), TimeSpan.FromHours(1), TimeSpan.FromDays(1)];
        var histograms = sizes.SelectMany(size => counted.GroupBy(f => (Window: f.Window(size), f.Method, f.Currency, f.Status))
            .Select(g => Line(Seconds(g.Key.Window), (long)size.TotalSeconds, $"currency={g.Key.Currency},payment_method={g.Key.Method},payment_status={g.Key.Status}", g.Count())));
        await AssertSameAsync(
            "histograms' counts equal recomputation", histograms,
            "SELECT concat_ws('|', extract(epoch FROM time_window_start)::bigint, extract(epoch FROM time_window_end - time_window_start)::bigint, event_type, event_count) FROM aggregate_histograms WHERE metric_type = 'transaction_amount'", cancellationToken);
    }

    /// <summary>Stateful rules see each event once and in order, whoever read it: the one check that needs the product's own rules, in one undisturbed pass.</summary>
    private async Task CheckRulesAsync(Dictionary<SentEvent, ArchivedEvent> found, CancellationToken cancellationToken)
    {
        var rules = place.Scenario.HasRules ? RuleSet.Starter : RuleSet.Parse(Scenario.NoRules, "no rules").RuleSet!;
        var expected = ExpectedRuleResults.Of(found.OrderBy(f => (f.Value.Partition, f.Value.Offset)).Select(f => (f.Value.Partition, f.Value.Offset, f.Value.EnqueuedAtMicros, new ReadOnlyMemory<byte>(f.Key.Payload))), rules);
        await AssertSameAsync("rules' results equal one undisturbed pass", expected.Buckets, ExpectedRuleResults.BucketsSql, cancellationToken);
        var hits = await place.QueryAsync(ExpectedRuleResults.HitsSql, r => $"{r.GetString(0)}|{ExpectedRuleResults.Canonical(r.GetString(1))}", cancellationToken);
        AssertSame("rules' results equal one undisturbed pass", expected.Hits, hits);
    }

    private async Task CheckDeadLettersAsync(Dictionary<SentEvent, ArchivedEvent> found, CancellationToken cancellationToken) => await AssertSameAsync(
        "dead letters are conserved", found.Where(f => !f.Key.IsValid).Select(f => Line(f.Value.Partition, f.Value.Offset, Convert.ToHexStringLower(f.Key.Archived))),
        "SELECT concat_ws('|', partition_id, stream_offset, encode(raw_payload, 'hex')) FROM failed_items WHERE status IN ('pending', 'resubmitted', 'resolved', 'discarded')", cancellationToken);

    /// <summary>Each blob is a file's that is live, or one that the sweeper will still look after; where it was waited for, there is none of these.</summary>
    private async Task CheckListingAsync(PlatformState state, CancellationToken cancellationToken)
    {
        var states = (await place.QueryAsync("SELECT blob_name, state FROM raw_event_files", r => (r.GetString(0), r.GetString(1)), cancellationToken)).ToDictionary();
        var listed = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var blob in place.Blobs.GetBlobsAsync(cancellationToken: cancellationToken))
        {
            listed.Add(blob.Name);
            InvariantBrokenException.Unless(
                states.GetValueOrDefault(blob.Name) is "live" or "superseded" || (!place.Scenario.AwaitsSweeper && states.GetValueOrDefault(blob.Name) is "pending" or "abandoned" or "deleting") || place.Observer.WasTorn(blob.Name), "manifest equals listing", () => $"the store has {blob.Name}, which the manifest calls {states.GetValueOrDefault(blob.Name) ?? "nothing"}");
        }

        foreach (var file in state.Files)
            InvariantBrokenException.Unless(listed.Contains(file.Name), "manifest equals listing", () => $"{file.Name} is live, and the store does not have it");
    }

    /// <summary>In no column of any table, as text or as bytes. The stream's own batches are compressed: what a producer of our own puts there is not looked at.</summary>
    private async Task CheckCardDataAsync(CancellationToken cancellationToken)
    {
        var tables = await place.QueryAsync("SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'stream_batches'", r => r.GetString(0), cancellationToken);
        var numbers = EventMaker.CardPattern;
        var sql = string.Join(" UNION ALL ", tables.Select(t => $"SELECT '{t.Replace("'", "''")}' FROM {t} t WHERE t::text ~ '{numbers}'"));
        var found = await place.QueryAsync(sql, r => r.GetString(0), cancellationToken);
        InvariantBrokenException.Unless(found.Count == 0, "no card data at rest", () => $"a card number is in {string.Join(", ", found.Distinct())}");
    }

    private async Task AssertSameAsync(string invariant, IEnumerable<string> expected, string sql, CancellationToken cancellationToken) =>
        AssertSame(invariant, expected, await place.QueryAsync(sql, r => r.GetString(0), cancellationToken));

    private static void AssertSame(string invariant, IEnumerable<string> expected, IEnumerable<string> found)
    {
        var (wanted, actual) = (expected.ToHashSet(StringComparer.Ordinal), found.ToHashSet(StringComparer.Ordinal));
        InvariantBrokenException.Unless(
            wanted.SetEquals(actual), invariant,
            () => $"expected and not there: {string.Join("; ", wanted.Except(actual).Order(StringComparer.Ordinal).Take(3))}; there and not expected: {string.Join("; ", actual.Except(wanted).Order(StringComparer.Ordinal).Take(3))}");
    }

    private static string Line(params object[] values) => string.Join('|', values.Select(v => Convert.ToString(v, CultureInfo.InvariantCulture)));

    private static long Seconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond;

    /// <summary>As PostgreSQL writes a numeric of scale 4.</summary>
    private static string Decimal(decimal value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
}

using System.Security.Cryptography;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Scenarios;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Faults.Model;

/// <summary>What must have become of the orders: dead letters each ended once at most, replays complete and in order.</summary>
internal sealed class OrderModel(RunPlace place, DeskOrders orders)
{
    /// <summary>Tells which corrections must be in the stream: those that their dead letters went out with, and no other.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        var items = (await place.QueryAsync("SELECT id, status, coalesce(encode(sent_sha256, 'hex'), '') FROM failed_items", r => (Id: r.GetInt64(0), Status: r.GetString(1), Sent: r.GetString(2)), cancellationToken)).ToDictionary(i => i.Id);
        foreach (var (item, told) in orders.Told)
            InvariantBrokenException.Unless(items[item].Status == told, "a dead letter ends once", () => $"item {item} was {told} by an answer, and is {items[item].Status}");
        foreach (var (item, sent) in orders.Corrections)
            sent.Fate = items[item].Status == "resubmitted" && items[item].Sent == Convert.ToHexStringLower(SHA256.HashData(sent.Payload)) ? EventFate.Accepted : EventFate.Rejected;
        foreach (var item in items.Values.Where(i => i.Status == "resubmitted"))
            InvariantBrokenException.Unless(orders.Corrections.Any(c => c.Item == item.Id && c.Event.Fate == EventFate.Accepted), "a dead letter ends once", () => $"item {item.Id} went out as something that nobody offered");
        var odd = await place.QueryAsync(
            """
            SELECT f.id, f.status, string_agg(e.action, ', ') FROM failed_items f LEFT JOIN failed_item_events e ON e.item_id = f.id AND e.action IN ('resubmitted', 'resolved', 'discarded')
            GROUP BY f.id HAVING coalesce(string_agg(e.action, ', '), 'pending') <> f.status
            """, r => $"{r.GetInt64(0)} is {r.GetString(1)}, by its history {(r.IsDBNull(2) ? "pending" : r.GetString(2))}", cancellationToken);
        InvariantBrokenException.Unless(odd.Count == 0, "a dead letter ends once", () => string.Join("; ", odd.Take(3)));
    }

    public async Task CheckAsync(IReadOnlyDictionary<SentEvent, ArchivedEvent> found, CancellationToken cancellationToken)
    {
        if (orders.Replays.IsEmpty)
            return;
        var byBytes = found.Keys.ToDictionary(e => Convert.ToBase64String(e.Archived));
        var reader = await Instance.StartAsync(place, InstanceRole.Producer, "reader");
        try
        {
            foreach (var order in orders.Replays)
                await CheckReplayAsync(order, found, byBytes, reader, cancellationToken);
        }
        finally
        {
            await reader.Kill();
        }
    }

    /// <summary>Each valid event of the range that was archived when the replay was made is in the target once, those of a key in their order.</summary>
    private async Task CheckReplayAsync(ReplayOrder order, IReadOnlyDictionary<SentEvent, ArchivedEvent> found, Dictionary<string, SentEvent> byBytes, Instance reader, CancellationToken cancellationToken)
    {
        var spans = (await place.QueryAsync(
            $"SELECT s.partition_id, s.next_offset FROM replays r JOIN replay_spans s ON s.replay_id = r.id WHERE r.target = '{order.Target}' AND s.stream = 'payments'", r => (r.GetInt32(0), r.GetInt64(1)), cancellationToken)).ToDictionary();
        var expected = found
            .Where(f => f.Key.IsValid && f.Key.Figures!.Time >= order.From && f.Key.Figures.Time < order.To && f.Value.Offset < spans.GetValueOrDefault(f.Value.Partition))
            .OrderBy(f => f.Value.Offset).GroupBy(f => f.Key.Key).ToDictionary(g => g.Key, g => g.Select(f => f.Key.Number).ToList());
        var delivered = (await ReadAsync(order.Target, reader, cancellationToken)).ConvertAll(body => byBytes[Convert.ToBase64String(body)]).GroupBy(e => e.Key).ToDictionary(g => g.Key, g => g.Select(e => e.Number).ToList());
        var told = await place.QueryAsync($"SELECT events_done FROM replays WHERE target = '{order.Target}'", r => r.GetInt64(0), cancellationToken);
        foreach (var key in expected.Keys.Union(delivered.Keys))
        {
            var (wanted, there) = (expected.GetValueOrDefault(key) ?? [], delivered.GetValueOrDefault(key) ?? []);
            InvariantBrokenException.Unless(
                wanted.SequenceEqual(there), "a replay is complete and in order",
                () => $"{order.Target}: of key {key} {wanted.Count} events are due and {there.Count} there; first missing tx-{wanted.Except(there).FirstOrDefault(-1)}, first too many tx-{there.Except(wanted).FirstOrDefault(-1)}");
        }

        var count = delivered.Values.Sum(e => e.Count);
        InvariantBrokenException.Unless(told.Sum() == count, "a replay tells how many events it published", () => $"{order.Target}: {told.Sum()} by its row, {count} are there");
    }

    private async Task<List<byte[]>> ReadAsync(string stream, Instance reader, CancellationToken cancellationToken)
    {
        var ranges = await place.QueryAsync(
            $"SELECT l.log_id, p.partition_id, p.first_offset, p.next_offset FROM stream_logs l JOIN stream_partitions p USING (log_id) WHERE l.stream = '{stream}' AND p.next_offset > p.first_offset ORDER BY 2",
            r => new OffsetRange(new(stream, r.GetString(0), r.GetInt32(1)), r.GetInt64(2), r.GetInt64(3)), cancellationToken);
        var bodies = new List<byte[]>();
        foreach (var range in ranges)
        {
            await foreach (var batch in reader.Reader.ReadAsync(range, cancellationToken))
            {
                using (batch)
                {
                    foreach (var message in batch.Messages.ToArray())
                        bodies.Add(message.Message.Body.ToArray());
                }
            }
        }

        return bodies;
    }
}

using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Model;

namespace PaymentPlatform.Faults.Scenarios;

/// <summary>Gives the query service one order after another for as long as there are faults, and repeats each until it is answered, whoever lives then.</summary>
internal sealed class Clerk(RunPlace place, DeskClient desk, DeskOrders orders, int number)
{
    private const int LeastRounds = 5;

    private readonly Random _random = place.Scenario.RandomFor($"clerk/{number}");
    private bool _hasReplayed;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // Where the faults were over before there was anything to do, a few orders come after.
        for (var round = 0; place.IsDisturbed || round < LeastRounds; round++)
        {
            await Task.Delay(_random.Next(20, 150), cancellationToken);
            var items = await place.QueryAsync("SELECT id, status = 'pending' FROM failed_items ORDER BY id", r => (Id: r.GetInt64(0), IsPending: r.GetBoolean(1)), cancellationToken);
            // Mostly those that nobody has ended: what was ended is refused.
            var chosen = items.FindAll(i => i.IsPending) is { Count: > 0 } pending && _random.Next(4) != 0 ? pending : items;
            var item = chosen.Count == 0 ? 0 : chosen[_random.Next(chosen.Count)].Id;
            switch (_random.Next(12))
            {
                case 0 when !_hasReplayed:
                    _hasReplayed = true;
                    await desk.ReplayAsync(orders, $"replayed-{number}", 500, _random, cancellationToken);
                    break;
                case 1:
                    await RebuildAsync(cancellationToken);
                    break;
                case 2 when items.Count > 0:
                    await ChangeInBulkAsync(cancellationToken);
                    break;
                case 3 or 4 or 5 when items.Count > 0:
                    var verb = _random.Next(2) == 0 ? "resolve" : "discard";
                    await ActAsync(item, verb, null, FaultKind.Closed, cancellationToken);
                    break;
                default:
                    if (items.Count > 0)
                        await ActAsync(item, "resubmit", orders.Correct(item).Payload, FaultKind.Resubmitted, cancellationToken);
                    break;
            }
        }
    }

    /// <summary>Whatever failed while there were faults is asked for again, and all ends.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        // One whose append met a fault waits for seconds.
        await place.ExecuteAsync("UPDATE replays SET not_before = NULL WHERE state = 'waiting' AND not_before IS NOT NULL", cancellationToken);
        foreach (var id in await place.QueryAsync("SELECT id FROM replays WHERE state = 'failed'", r => r.GetGuid(0), cancellationToken))
            await desk.UntilAnsweredAsync($"v1/replays/{id}/resume", null, [HttpStatusCode.Accepted, HttpStatusCode.Conflict], cancellationToken);
        // One that met a fault waits for a quarter of a minute and longer.
        foreach (var id in await place.QueryAsync("SELECT id FROM metric_rebuilds WHERE state = 'waiting'", r => r.GetInt64(0), cancellationToken))
            await desk.UntilAnsweredAsync(HttpMethod.Delete, $"v1/metrics/rebuilds/{id}", null, [HttpStatusCode.OK], cancellationToken);
    }

    private async Task ActAsync(long item, string verb, byte[]? body, FaultKind kind, CancellationToken cancellationToken)
    {
        place.Tally.Add(kind);
        var (status, text) = await desk.UntilAnsweredAsync($"v1/failed-items/{item}/{verb}", body, [HttpStatusCode.OK, HttpStatusCode.Conflict], cancellationToken);
        if (status == HttpStatusCode.OK)
            Tell(item, JsonElement.Parse(text).GetProperty("status").GetString()!);
        else if (status == HttpStatusCode.Conflict && JsonElement.Parse(text).GetProperty("item_status").GetString() is { } stands and not "pending")
            Tell(item, stands);
    }

    private void Tell(long item, string status)
    {
        var told = orders.Told.GetOrAdd(item, status);
        InvariantBrokenException.Unless(told == status, "a dead letter ends once", () => $"item {item} was {told}, and then {status}");
    }

    /// <summary>Pending ones as they are: those to be sent again are as invalid as they were, and stay.</summary>
    private async Task ChangeInBulkAsync(CancellationToken cancellationToken)
    {
        place.Tally.Add(FaultKind.ChangedInBulk);
        var verb = _random.Next(4) switch { 0 => "resolve", 1 => "discard", _ => "resubmit" };
        await desk.UntilAnsweredAsync($"v1/failed-items/{verb}", Encoding.UTF8.GetBytes($$"""{"all": true, "limit": {{_random.Next(1, 20)}}}"""), [HttpStatusCode.OK], cancellationToken);
    }

    private async Task RebuildAsync(CancellationToken cancellationToken)
    {
        place.Tally.Add(FaultKind.Rebuilt);
        var body = string.Create(CultureInfo.InvariantCulture, $$"""{"from": "{{DateTime.UtcNow.AddDays(-25):o}}", "to": "{{DateTime.UtcNow:o}}"}""");
        await desk.TryAsync(HttpMethod.Post, "v1/metrics/rebuild", Encoding.UTF8.GetBytes(body), [HttpStatusCode.Accepted], cancellationToken);
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Model;

namespace PaymentPlatform.Faults.Scenarios;

/// <summary>Gives the query service one order after another for as long as there are faults, and repeats each until it is answered, whoever lives then.</summary>
internal sealed class Clerk(RunPlace place, Cluster cluster, DeskOrders orders, int number)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const int LeastRounds = 5;

    private readonly Random _random = place.Scenario.RandomFor($"clerk/{number}");
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(6) };
    private int _replays;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var http = _http;
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
                case 0 when _replays < 2:
                    await ReplayAsync(cancellationToken);
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
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(6) };
        foreach (var id in await place.QueryAsync("SELECT id FROM replays WHERE state = 'failed'", r => r.GetGuid(0), cancellationToken))
            await UntilAnsweredAsync($"v1/replays/{id}/resume", null, [HttpStatusCode.Accepted, HttpStatusCode.Conflict], cancellationToken, http);
        // One that met a fault waits for a quarter of a minute and longer.
        foreach (var id in await place.QueryAsync("SELECT id FROM metric_rebuilds WHERE state = 'waiting'", r => r.GetInt64(0), cancellationToken))
            await UntilAnsweredAsync(HttpMethod.Delete, $"v1/metrics/rebuilds/{id}", null, [HttpStatusCode.OK], cancellationToken, http);
    }

    private async Task ActAsync(long item, string verb, byte[]? body, FaultKind kind, CancellationToken cancellationToken)
    {
        place.Tally.Add(kind);
        var (status, text) = await UntilAnsweredAsync($"v1/failed-items/{item}/{verb}", body, [HttpStatusCode.OK, HttpStatusCode.Conflict], cancellationToken);
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
        await UntilAnsweredAsync($"v1/failed-items/{verb}", Encoding.UTF8.GetBytes($$"""{"all": true, "limit": {{_random.Next(1, 20)}}}"""), [HttpStatusCode.OK], cancellationToken);
    }

    /// <summary>Once: whether one whose answer is lost was made, the database tells.</summary>
    private async Task ReplayAsync(CancellationToken cancellationToken)
    {
        place.Tally.Add(FaultKind.Replayed);
        var now = DateTime.UtcNow - place.Scenario.Earlier;
        var order = new ReplayOrder($"replayed-{number}-{++_replays}", now - (_random.Next(2) == 0 ? TimeSpan.FromDays(30) : TimeSpan.FromMinutes(11)), now);
        orders.Replays.Enqueue(order);
        // At a rate a replay is cut into smaller chunks: more of them for a fault to come between.
        var rate = _replays % 2 == 1 ? ", \"rate\": 500" : "";
        var body = string.Create(CultureInfo.InvariantCulture, $$"""{"filter": {"is_valid": true}, "from": "{{order.From:o}}", "to": "{{order.To:o}}", "target": "{{order.Target}}"{{rate}}}""");
        await TryAsync(_http, HttpMethod.Post, "v1/replays", Encoding.UTF8.GetBytes(body), [HttpStatusCode.Accepted], cancellationToken);
    }

    private async Task RebuildAsync(CancellationToken cancellationToken)
    {
        place.Tally.Add(FaultKind.Rebuilt);
        var body = string.Create(CultureInfo.InvariantCulture, $$"""{"from": "{{DateTime.UtcNow.AddDays(-25):o}}", "to": "{{DateTime.UtcNow:o}}"}""");
        await TryAsync(_http, HttpMethod.Post, "v1/metrics/rebuild", Encoding.UTF8.GetBytes(body), [HttpStatusCode.Accepted], cancellationToken);
    }

    private Task<(HttpStatusCode? Status, string Text)> UntilAnsweredAsync(string path, byte[]? body, HttpStatusCode[] expected, CancellationToken cancellationToken, HttpClient? http = null) =>
        UntilAnsweredAsync(HttpMethod.Post, path, body, expected, cancellationToken, http);

    private async Task<(HttpStatusCode? Status, string Text)> UntilAnsweredAsync(HttpMethod method, string path, byte[]? body, HttpStatusCode[] expected, CancellationToken cancellationToken, HttpClient? http = null)
    {
        for (var started = Stopwatch.StartNew(); started.Elapsed < Patience; await Task.Delay(50, cancellationToken))
        {
            var (status, text) = await TryAsync(http ?? _http, method, path, body, expected, cancellationToken);
            // A resubmission that another call began is asked for again until it has ended.
            if (status is not null && !(status == HttpStatusCode.Conflict && text.Contains("\"pending\"", StringComparison.Ordinal)))
                return (status, text);
        }

        throw new InvariantBrokenException("an order is answered", $"{method} {path} was not within {Patience.TotalSeconds:0} s");
    }

    /// <returns>A null status where no answer came, or one that says to try again.</returns>
    private async Task<(HttpStatusCode? Status, string Text)> TryAsync(HttpClient http, HttpMethod method, string path, byte[]? body, HttpStatusCode[] expected, CancellationToken cancellationToken)
    {
        try
        {
            var desk = await cluster.Slot(InstanceRole.Desk, _random.Next(4)).GetAsync(cancellationToken);
            using var request = new HttpRequestMessage(method, new Uri(desk.Url, path));
            if (body is not null)
                request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, desk.Gone);
            using var answer = await http.SendAsync(request, either.Token);
            var text = await answer.Content.ReadAsStringAsync(either.Token);
            if (Array.IndexOf(expected, answer.StatusCode) >= 0)
                return (answer.StatusCode, text);
            InvariantBrokenException.Unless(answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests, "the desk's answers", () => $"{method} {path}: {(int)answer.StatusCode} {text}");
            place.Log.Add($"clerk {number}", $"{path}: {(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or ObjectDisposedException or InvalidOperationException && !cancellationToken.IsCancellationRequested)
        {
            place.Log.Add($"clerk {number}", $"{path}: {e.Message}");
        }

        return (null, "");
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Model;

namespace PaymentPlatform.Faults.Scenarios;

/// <summary>Somebody's way to whichever query service lives. Used by one caller at a time.</summary>
/// <param name="name">The caller's.</param>
internal sealed class DeskClient(RunPlace place, Cluster cluster, HttpClient http, string name)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Random _random = place.Scenario.RandomFor($"{name}/desk");

    /// <summary>For all clients of a run.</summary>
    public static HttpClient CreateHttp() => new() { Timeout = TimeSpan.FromSeconds(6) };

    /// <summary>Orders a replay, once: whether one whose answer is lost was made, the database tells.</summary>
    /// <param name="target">Of this order alone.</param>
    /// <param name="rate">Events a second; at random none: as fast as the target takes them.</param>
    /// <returns>False where the answer is lost.</returns>
    public async Task<bool> ReplayAsync(DeskOrders orders, string target, int rate, Random random, CancellationToken cancellationToken)
    {
        place.Tally.Add(FaultKind.Replayed);
        var now = DateTime.UtcNow - place.Scenario.Earlier;
        var order = new ReplayOrder(target, now - (random.Next(2) == 0 ? TimeSpan.FromDays(30) : TimeSpan.FromMinutes(11)), now);
        orders.Replays.Enqueue(order);
        var limit = random.Next(2) == 0 ? $", \"rate\": {rate}" : "";
        var body = string.Create(CultureInfo.InvariantCulture, $$"""{"filter": {"is_valid": true}, "from": "{{order.From:o}}", "to": "{{order.To:o}}", "target": "{{order.Target}}"{{limit}}}""");
        return (await TryAsync(HttpMethod.Post, "v1/replays", Encoding.UTF8.GetBytes(body), [HttpStatusCode.Accepted], cancellationToken)).Status is not null;
    }

    public Task<(HttpStatusCode? Status, string Text)> UntilAnsweredAsync(string path, byte[]? body, HttpStatusCode[] expected, CancellationToken cancellationToken) =>
        UntilAnsweredAsync(HttpMethod.Post, path, body, expected, cancellationToken);

    public async Task<(HttpStatusCode? Status, string Text)> UntilAnsweredAsync(HttpMethod method, string path, byte[]? body, HttpStatusCode[] expected, CancellationToken cancellationToken)
    {
        for (var started = Stopwatch.StartNew(); started.Elapsed < Patience; await Task.Delay(50, cancellationToken))
        {
            var (status, text) = await TryAsync(method, path, body, expected, cancellationToken);
            // A resubmission that another call began is asked for again until it has ended.
            if (status is not null && !(status == HttpStatusCode.Conflict && text.Contains("\"pending\"", StringComparison.Ordinal)))
                return (status, text);
        }

        throw new InvariantBrokenException("an order is answered", $"{method} {path} was not within {Patience.TotalSeconds:0} s");
    }

    /// <returns>A null status where no answer came, or one that says to try again.</returns>
    public async Task<(HttpStatusCode? Status, string Text)> TryAsync(HttpMethod method, string path, byte[]? body, HttpStatusCode[] expected, CancellationToken cancellationToken)
    {
        try
        {
            var instance = await cluster.Slot(InstanceRole.Desk, _random.Next(4)).GetAsync(cancellationToken);
            using var request = new HttpRequestMessage(method, new Uri(instance.Url, path));
            if (body is not null)
                request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, instance.Gone);
            using var answer = await http.SendAsync(request, either.Token);
            var text = await answer.Content.ReadAsStringAsync(either.Token);
            if (Array.IndexOf(expected, answer.StatusCode) >= 0)
                return (answer.StatusCode, text);
            InvariantBrokenException.Unless(answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests, "the desk's answers", () => $"{method} {path}: {(int)answer.StatusCode} {text}");
            place.Log.Add(name, $"{path}: {(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or ObjectDisposedException or InvalidOperationException && !cancellationToken.IsCancellationRequested)
        {
            place.Log.Add(name, $"{path}: {e.Message}");
        }

        return (null, "");
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Model;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Faults.Scenarios;

/// <summary>Sends its share of the events, one call after another, and notes what the platform said of each event.</summary>
internal sealed class Sender(RunPlace place, Cluster cluster, InstanceRole role, int number)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Random _random = place.Scenario.RandomFor($"sender/{number}");
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(6) };
    private int _calls;
    private int _sent;

    /// <param name="events">In the order in which they are to be sent.</param>
    public async Task RunAsync(IReadOnlyList<SentEvent> events, CancellationToken cancellationToken)
    {
        using var http = _http;
        var started = System.Diagnostics.Stopwatch.StartNew();
        for (var next = 0; next < events.Count;)
        {
            var call = events.Skip(next).Take(_random.Next(1, 60)).ToArray();
            next += call.Length;
            _calls++;
            foreach (var sent in call)
                sent.Order = (number, ++_sent);
            if (role == InstanceRole.Producer)
                await PublishAsync(call, cancellationToken);
            else
                await PostAsync(call, cancellationToken);
            var due = place.Scenario.Duration * ((double)next / events.Count);
            if (due > started.Elapsed)
                await Task.Delay(due - started.Elapsed, cancellationToken);
        }
    }

    private async Task PublishAsync(SentEvent[] call, CancellationToken cancellationToken)
    {
        var producer = await cluster.Slot(role, number).GetAsync(cancellationToken);
        foreach (var sent in call)
            (sent.Fate, sent.Call) = (EventFate.Unknown, number * 10_000 + _calls);
        try
        {
            var messages = call.Select(e => new Message(e.Payload, Encoding.UTF8.GetBytes($"m-{e.Number}"), default, Encoding.UTF8.GetBytes(e.Key), MessageHeaders.Empty)).ToArray();
            await producer.Publisher.PublishAsync(messages, [], producer.Gone);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Whether the stream has them, the archive will tell.
            place.Log.Add($"sender {number}", $"call {_calls}: {e.Message}");
            return;
        }

        foreach (var sent in call)
            sent.Fate = EventFate.Accepted;
    }

    private async Task PostAsync(SentEvent[] call, CancellationToken cancellationToken)
    {
        foreach (var sent in call)
            sent.Fate = sent.IsRefusedAtDoor ? EventFate.Rejected : EventFate.Unknown;
        var isArray = call.All(e => e.IsValid) && _random.Next(2) == 0;
        var key = _random.Next(4) == 0 ? null : $"key-{number}-{_calls}";
        var body = isArray
            ? [(byte)'[', .. call.SelectMany((e, i) => i == 0 ? e.Payload : [(byte)',', .. e.Payload]), (byte)']']
            : call.SelectMany(e => (byte[])[.. e.Payload, (byte)'\n']).ToArray();
        var isRaced = key is not null && place.Scenario.Enabled.Contains(FaultKind.KeyRaced) && _random.Next(4) == 0;
        var isRepeated = key is not null && place.Scenario.Enabled.Contains(FaultKind.KeyRepeated) && _random.Next(4) == 0;
        var (slot, otherSlot) = (_random.Next(), _random.Next());

        var first = SendAsync(slot, body, isArray, key, cancellationToken);
        if (isRaced)
        {
            place.Tally.Add(FaultKind.KeyRaced);
            var second = await SendAsync(otherSlot, body, isArray, key, cancellationToken);
            Settle(call, second);
        }

        var answer = await first;
        Settle(call, answer);
        if (answer is not null && isRepeated)
        {
            place.Tally.Add(FaultKind.KeyRepeated);
            var again = await SendAsync(otherSlot, body, isArray, key, cancellationToken);
            InvariantBrokenException.Unless(again is null || again == answer, "a key's answer stays the same", () => $"{key}: first {answer}, then {again}");
        }
    }

    /// <summary>Under a key until it is answered, without one once.</summary>
    /// <returns>The answer's body; null when none came that says what became of the events.</returns>
    private async Task<string?> SendAsync(int slot, byte[] body, bool isArray, string? key, CancellationToken cancellationToken)
    {
        var started = System.Diagnostics.Stopwatch.StartNew();
        for (var attempt = 0; started.Elapsed < Patience; attempt++)
        {
            var door = await cluster.Slot(InstanceRole.Door, slot + attempt).GetAsync(cancellationToken);
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(door.Url, "v1/transactions")) { Content = new ByteArrayContent(body) };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue(isArray ? "application/json" : "application/x-ndjson");
                if (key is not null)
                    request.Headers.Add("Idempotency-Key", key);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, door.Gone);
                using var answer = await _http.SendAsync(request, either.Token);
                var text = await answer.Content.ReadAsStringAsync(either.Token);
                if (answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.UnprocessableEntity)
                    return text;
                InvariantBrokenException.Unless(answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests, "the door's answers", () => $"{(int)answer.StatusCode}: {text}");
                place.Log.Add($"sender {number}", $"call {_calls}: {(int)answer.StatusCode}");
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or ObjectDisposedException or InvalidOperationException && !cancellationToken.IsCancellationRequested)
            {
                place.Log.Add($"sender {number}", $"call {_calls}: {e.Message}");
            }

            if (key is null)
                return null;
            await Task.Delay(30, cancellationToken);
        }

        return null;
    }

    private static void Settle(SentEvent[] call, string? answer)
    {
        if (answer is null)
            return;
        using var json = JsonDocument.Parse(answer);
        var refused = call.Count(e => e.IsRefusedAtDoor);
        InvariantBrokenException.Unless(
            json.RootElement.TryGetProperty("accepted", out var accepted) && accepted.GetInt64() == call.Length - refused && json.RootElement.GetProperty("rejected_count").GetInt64() == refused
            && json.RootElement.GetProperty("rejected").EnumerateArray().Select(r => r.GetProperty("index").GetInt32()).SequenceEqual(call.Index().Where(e => e.Item.IsRefusedAtDoor).Select(e => e.Index)),
            "the door's answers", () => $"of {call.Length} events {refused} are to be refused: {answer[..Math.Min(answer.Length, 500)]}");
        foreach (var sent in call.Where(e => !e.IsRefusedAtDoor))
            sent.Fate = EventFate.Accepted;
    }
}

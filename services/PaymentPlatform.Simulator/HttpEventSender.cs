using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace PaymentPlatform.Simulator;

/// <summary>Posts batches as NDJSON. Each has an Idempotency-Key of its own, so that trying again counts nothing twice.</summary>
internal sealed class HttpEventSender(HttpClient client, Uri url, string? apiKey, TimeProvider time, bool inOrder = false) : EventSender
{
    public const int Connections = 8;

    /// <summary>An address that swallows packets is told from one that is slow.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private static readonly MediaTypeHeaderValue NdJson = new("application/x-ndjson");

    private readonly Uri _transactions = new(url, "/v1/transactions");
    private readonly string _run = Guid.NewGuid().ToString("N");
    private long _requests;

    // Requests that are under way together may overtake each other, and a refund its payment.
    public override int Concurrency => inOrder ? 1 : Connections;

    /// <summary>The client that the load needs: few connections, no redirects.</summary>
    public static HttpClient CreateClient() =>
        new(new SocketsHttpHandler { MaxConnectionsPerServer = Connections, ConnectTimeout = ConnectTimeout, AllowAutoRedirect = false, ActivityHeadersPropagator = null }) { Timeout = TimeSpan.FromSeconds(60) };

    public override async Task<SendOutcome> SendAsync(EventBatch batch, TrafficStatistics statistics, CancellationToken cancellationToken)
    {
        var key = $"simulator-{_run}-{Interlocked.Increment(ref _requests)}";
        for (var attempt = 0; ; attempt++)
        {
            var pause = Backoff(attempt);
            try
            {
                var started = time.GetTimestamp();
                using var response = await PostAsync(batch, key, cancellationToken);
                if (response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.UnprocessableEntity)
                {
                    var outcome = await ReadAsync(response, cancellationToken);
                    statistics.Answered(time.GetElapsedTime(started));
                    return outcome;
                }

                if (!IsTransient(response.StatusCode))
                    throw await RefusalAsync(response, cancellationToken);
                pause = response.Headers.RetryAfter?.Delta ?? pause;
                var answer = $"{_transactions} answered {(int)response.StatusCode}";
                if (response.StatusCode == HttpStatusCode.TooManyRequests)
                    statistics.Retried(answer);
                else
                    statistics.Missed($"{answer} and takes no events");
            }
            catch (Exception exception) when (exception is not SimulatorException && !cancellationToken.IsCancellationRequested)
            {
                statistics.Missed($"{_transactions} does not answer ({exception.Message.TrimEnd('.')})");
            }

            await Task.Delay(pause, time, cancellationToken);
        }
    }

    public override ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<HttpResponseMessage> PostAsync(EventBatch batch, string key, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _transactions) { Content = new ReadOnlyMemoryContent(batch.Body) };
        request.Content.Headers.ContentType = NdJson;
        request.Headers.Add("Idempotency-Key", key);
        if (!string.IsNullOrEmpty(apiKey))
            request.Headers.Add("X-Api-Key", apiKey);
        return await client.SendAsync(request, cancellationToken);
    }

    private static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError;

    private static async Task<SendOutcome> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var body = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
        if (!body.RootElement.TryGetProperty("accepted", out var accepted))
            throw new SimulatorException($"Ingest answered {(int)response.StatusCode}: {body.RootElement}");
        var rejected = body.RootElement.GetProperty("rejected_count").GetInt32();
        return new(accepted.GetInt32(), rejected, rejected == 0 ? [] : [.. body.RootElement.GetProperty("rejected").EnumerateArray().Select(r => r.GetProperty("index").GetInt32()).Order()]);
    }

    private async Task<SimulatorException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var advice = response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? " Set Simulator__ApiKey to a key with the role ingest." : "";
        return new($"{_transactions} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}{advice}");
    }
}

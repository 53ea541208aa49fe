using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.Bench.Inputs;

/// <summary>Bodies of NDJSON with the simulator's clean events, made beforehand: sending them to us or to a peer costs the same. The same seed gives the same events. Deleted at the end.</summary>
internal sealed class RequestFile : IDisposable
{
    private static readonly MediaTypeHeaderValue NdJson = new("application/x-ndjson");
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly SafeFileHandle _file = File.OpenHandle(
        Path.Combine(Path.GetTempPath(), $"platform-bench-{Guid.NewGuid():N}.ndjson"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, FileOptions.DeleteOnClose);
    private readonly List<(long Start, int Length)> _requests = [];
    private readonly string _run = Guid.NewGuid().ToString("N");

    /// <param name="events">Rounded up to whole requests.</param>
    /// <param name="withRaw">A field <c>raw</c> more, the event's exact bytes as text: for who keeps only what is a column.</param>
    public RequestFile(int events, int eventsPerRequest, bool withRaw, long seed)
    {
        EventsPerRequest = eventsPerRequest;
        var generator = new TransactionGenerator(SimulatorSettings.Default, seed, validOnly: true);
        var batch = new EventBatch();
        using var body = new MemoryStream();
        for (var (made, start) = (0, 0L); made < events; made += eventsPerRequest, start += body.Length)
        {
            batch.Fill(generator, eventsPerRequest, 1 + made, clock: null, (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            body.SetLength(0);
            if (withRaw)
                WriteRaw(batch, body);
            else
                body.Write(batch.Body.Span);
            RandomAccess.Write(_file, body.GetBuffer().AsSpan(0, (int)body.Length), start);
            _requests.Add((start, (int)body.Length));
        }
    }

    public int EventsPerRequest { get; }

    /// <summary>Requests.</summary>
    public int Count => _requests.Count;

    public double BytesPerEvent => (double)_requests.Sum(request => (long)request.Length) / ((long)Count * EventsPerRequest);

    /// <summary>Posts some of the requests over as many connections as the simulator has. One that is turned away because of too much load is sent again.</summary>
    /// <exception cref="InvalidOperationException">The server refuses.</exception>
    public Task PostAsync(HttpClient client, Uri url, int first, int end)
    {
        var next = first - 1;
        return Task.WhenAll(Enumerable.Range(0, HttpEventSender.Connections).Select(_ => Task.Run(PostNextAsync)));

        async Task PostNextAsync()
        {
            var buffer = new byte[_requests.Max(request => request.Length)];
            for (var i = Interlocked.Increment(ref next); i < end; i = Interlocked.Increment(ref next))
            {
                var (start, length) = _requests[i];
                if (RandomAccess.Read(_file, buffer.AsSpan(0, length), start) < length)
                    throw new EndOfStreamException();
                while (await TryPostAsync(client, url, i, buffer.AsMemory(0, length)) is { } pause)
                    await Task.Delay(pause);
            }
        }
    }

    public void Dispose() => _file.Dispose();

    /// <returns>How long to wait before it is sent again; null when it was taken.</returns>
    private async Task<TimeSpan?> TryPostAsync(HttpClient client, Uri url, int index, ReadOnlyMemory<byte> body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = NdJson;
        request.Headers.Add("Idempotency-Key", $"{_run}-{index}");
        using var response = await client.SendAsync(request);
        if (response.IsSuccessStatusCode)
            return null;
        if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
            return response.Headers.RetryAfter?.Delta ?? Pause;
        throw new InvalidOperationException($"{url.GetLeftPart(UriPartial.Path)} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }

    private static void WriteRaw(EventBatch batch, MemoryStream body)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            var line = batch.Line(i).Span;
            body.Write(line[..^1]);
            body.Write(", \"raw\": "u8);
            JsonSerializer.Serialize(body, Encoding.UTF8.GetString(line), SimulatorJson.Relaxed);
            body.Write("}\n"u8);
        }
    }
}

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using PaymentPlatform.Faults.Scenarios;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Faults.Proxies;

/// <summary>Stands between one instance and the blob store. Sees each request, and does there what <see cref="InstanceFaults"/> says.</summary>
internal sealed class BlobProxy : IDisposable
{
    private readonly Relay _relay;
    private readonly InstanceNetwork _network;
    private readonly InstanceFaults _faults;
    private readonly BlobObserver _observer;

    /// <param name="store">The store's address; the way to it is HTTP/1.1 without TLS.</param>
    public BlobProxy(Uri store, InstanceNetwork network, InstanceFaults faults, BlobObserver observer)
    {
        (_network, _faults, _observer) = (network, faults, observer);
        _relay = new(store.Host, store.Port, ExchangeAsync, network.Severed);
        Address = new UriBuilder(store) { Port = _relay.Port }.Uri;
    }

    /// <summary>The store's, as the instance is to see it.</summary>
    public Uri Address { get; }

    public void Dispose() => _relay.Dispose();

    private async Task ExchangeAsync(NetworkStream client, NetworkStream server)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(_network.Severed);
        var (requests, answers) = (new ConnectionReader(client), new ConnectionReader(server));
        while (await HttpHead.ReadAsync(requests, cut.Token) is { } request)
        {
            if (request.Expects)
                await client.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), cut.Token);
            var body = request.IsChunked ? await requests.ReadChunkedAsync(cut.Token) : await requests.ReadAsync(request.ContentLength, cut.Token);
            var isBlob = request.Path.EndsWith(".parquet", StringComparison.Ordinal) && !request.HasQuery;
            var fault = isBlob ? _faults.NextRequest(request.Method) : null;
            if (fault is { After: false } before)
            {
                switch (before.Kind)
                {
                    case FaultKind.Blob409 or FaultKind.Blob412 or FaultKind.Blob429 or FaultKind.Blob500 or FaultKind.Blob503:
                        _faults.Tally(before.Kind);
                        await client.WriteAsync(Refusal(before.Kind, request.Method), cut.Token);
                        continue;
                    case FaultKind.BlobTornUpload:
                        _faults.Tally(before.Kind);
                        _observer.Torn(request.Path);
                        await server.WriteAsync(request.ToBytes(), cut.Token);
                        await server.WriteAsync(body.AsMemory(0, body.Length / 2), cut.Token);
                        return;
                    case FaultKind.BlobTimeoutAfterSuccess or FaultKind.BlobErrorAfterSuccess or FaultKind.BlobCutDownload:
                        break;
                    default:
                        await _faults.ApplyAsync(before, cut);
                        break;
                }
            }

            await _network.PassAsync();
            await server.WriteAsync(request.ToBytes(), cut.Token);
            await server.WriteAsync(body, cut.Token);
            var answer = await HttpHead.ReadAsync(answers, cut.Token);
            if (answer is null)
                return;
            var hasBody = request.Method != "HEAD" && answer.Status is not (204 or 304);
            var content = !hasBody ? [] : answer.IsChunked ? await answers.ReadChunkedAsync(cut.Token) : await answers.ReadAsync(answer.ContentLength, cut.Token);
            if (isBlob)
                _observer.Answered(request.Method, request.Path, body, answer.Status);

            switch (fault)
            {
                case { Kind: FaultKind.BlobTimeoutAfterSuccess }:
                    _faults.Tally(fault.Kind);
                    return;
                case { Kind: FaultKind.BlobErrorAfterSuccess }:
                    _faults.Tally(fault.Kind);
                    await client.WriteAsync(Refusal(FaultKind.Blob500, request.Method), cut.Token);
                    continue;
                case { Kind: FaultKind.BlobCutDownload }:
                    _faults.Tally(fault.Kind);
                    await client.WriteAsync(answer.ToBytes(), cut.Token);
                    await client.WriteAsync(content.AsMemory(0, content.Length / 2), cut.Token);
                    return;
                case { After: true }:
                    await _faults.ApplyAsync(fault, cut);
                    break;
            }

            await _network.PassAsync();
            await client.WriteAsync(answer.ToBytes(), cut.Token);
            await client.WriteAsync(content, cut.Token);
        }
    }

    private static byte[] Refusal(FaultKind kind, string method)
    {
        var (status, code) = kind switch
        {
            FaultKind.Blob409 => (409, "BlobAlreadyExists"),
            FaultKind.Blob412 => (412, "ConditionNotMet"),
            FaultKind.Blob429 => (429, "ServerBusy"),
            FaultKind.Blob500 => (500, "InternalError"),
            _ => (503, "ServerBusy"),
        };
        var body = method == "HEAD" ? "" : $"<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>injected</Message></Error>";
        return Encoding.Latin1.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status} Injected\r\nx-ms-error-code: {code}\r\nx-ms-version: 2025-01-05\r\nContent-Type: application/xml\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
    }
}

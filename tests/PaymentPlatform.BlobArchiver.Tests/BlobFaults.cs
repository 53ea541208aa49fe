using System.Collections.Concurrent;
using Azure.Core;
using Azure.Core.Pipeline;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>What goes wrong with the next uploads, one fault an attempt; the rest goes well.</summary>
internal sealed class BlobFaults : HttpPipelinePolicy
{
    private readonly ConcurrentQueue<BlobFault> _next = new();

    /// <summary>While it is set, every upload gets a 503.</summary>
    public volatile bool Down;

    /// <summary>The file of which every request is refused with a 403, as a rule or a lock of the store would; null: none.</summary>
    public volatile string? RefusedFile;

    public int Uploads;

    public void Then(params BlobFault[] faults)
    {
        foreach (var fault in faults)
            _next.Enqueue(fault);
    }

    public bool Exhausted => _next.IsEmpty;

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        if (RefusedFile is { } refused && message.Request.Uri.Path.EndsWith(refused, StringComparison.Ordinal))
        {
            message.Response = new FaultResponse(403);
            return;
        }

        if (message.Request.Method != RequestMethod.Put || !message.Request.Uri.Path.EndsWith(".parquet", StringComparison.Ordinal))
        {
            await ProcessNextAsync(message, pipeline);
            return;
        }

        Interlocked.Increment(ref Uploads);
        if (Down)
        {
            message.Response = new FaultResponse(503);
            return;
        }

        if (!_next.TryDequeue(out var fault))
        {
            await ProcessNextAsync(message, pipeline);
            return;
        }

        switch (fault)
        {
            case BlobFault.Error500:
                message.Response = new FaultResponse(500);
                break;
            case BlobFault.Error503:
                message.Response = new FaultResponse(503);
                break;
            case BlobFault.CutBefore:
                throw new IOException("cut before the request");
            case BlobFault.CutAfterSuccess:
                await ProcessNextAsync(message, pipeline);
                Assert.Equal(201, message.Response.Status);
                throw new IOException("cut after the request, before the answer");
            case BlobFault.Error500AfterSuccess:
                await ProcessNextAsync(message, pipeline);
                Assert.Equal(201, message.Response.Status);
                message.Response = new FaultResponse(500);
                break;
        }
    }
}

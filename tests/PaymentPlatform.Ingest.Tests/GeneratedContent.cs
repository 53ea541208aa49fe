using System.Net;

namespace PaymentPlatform.Ingest.Tests;

/// <summary>A body without a length.</summary>
internal sealed class GeneratedContent(IEnumerable<byte[]> parts) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        foreach (var part in parts)
            await stream.WriteAsync(part);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

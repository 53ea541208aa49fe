using System.Net.Sockets;
using Azure;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Storage;

/// <summary>Which faults pass by themselves.</summary>
public static class StoreFaults
{
    /// <summary>True when one of the stores, or the way to it, is down or overloaded.</summary>
    public static bool IsDown(Exception e) => e switch
    {
        RequestFailedException failed => failed.Status is 0 or 408 or 429 or >= 500,
        // The SDK's way to say that it has tried several times.
        AggregateException { InnerExceptions: { Count: > 0 } inner } => inner.All(IsDown),
        InvalidDataException => false,
        IOException or SocketException or HttpRequestException or TimeoutException or TaskCanceledException => true,
        _ => HybridConnectionManager.IsTransient(e),
    };
}

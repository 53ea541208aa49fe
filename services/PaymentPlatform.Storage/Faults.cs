using System.Net.Sockets;
using Azure;
using Npgsql;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Storage;

/// <summary>Which faults pass by themselves, and which never do.</summary>
public static class Faults
{
    /// <summary>
    /// True when the database refuses what was asked of it, and would refuse it again: a constraint (23), a value (21, 22, 44), a missing table or right (42), an unsupported feature (0A),
    /// a raised error (P0), damage (XX). The rest may pass: a restart, a standby that is still read-only, a timeout.
    /// </summary>
    public static bool IsRefusal(Exception e) =>
        e is PostgresException { SqlState: [var a, var b, ..] } refused && !HybridConnectionManager.IsTransient(refused) && $"{a}{b}" is "0A" or "21" or "22" or "23" or "42" or "44" or "P0" or "XX";

    /// <summary>True when one of the stores, or the way to it, is down or overloaded.</summary>
    public static bool IsStoreDown(Exception e) => e switch
    {
        RequestFailedException failed => failed.Status is 0 or 408 or 429 or >= 500,
        // The SDK's way to say that it has tried several times.
        AggregateException { InnerExceptions: { Count: > 0 } inner } => inner.All(IsStoreDown),
        InvalidDataException => false,
        IOException or SocketException or HttpRequestException or TimeoutException or TaskCanceledException => true,
        _ => HybridConnectionManager.IsTransient(e),
    };

    /// <summary>True for the end of work whose service stops. What else is thrown meanwhile is a fault like any other: a store may be away by then.</summary>
    public static bool IsStop(Exception e, CancellationToken stopping) => e is OperationCanceledException && stopping.IsCancellationRequested;

    /// <summary>One line: the Azure SDK's messages list all headers.</summary>
    public static string Describe(Exception e) => e switch
    {
        RequestFailedException { Status: > 0 } failed => $"{failed.Status} {failed.ErrorCode}",
        AggregateException { InnerException: { } inner } => Describe(inner),
        _ => $"{e.GetType().Name}: {e.Message.AsSpan()[..Math.Max(0, (e.Message + "\n").IndexOf('\n'))]}",
    };
}

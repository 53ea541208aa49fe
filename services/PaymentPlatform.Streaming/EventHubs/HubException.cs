namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>A hub did not do what it was asked to.</summary>
internal sealed class HubException(HubFault fault, string message, Exception? inner = null) : Exception(FirstLine(message), inner)
{
    public HubFault Fault => fault;

    /// <summary>The service's texts go on with tracking ids and links.</summary>
    private static string FirstLine(string message) => message.Split('\n', 2)[0].Trim().TrimEnd('.');
}

using Azure.Identity;
using Azure.Messaging.EventHubs;

namespace PaymentPlatform.Streaming.EventHubs.Client;

/// <summary>What the SDK's exceptions mean.</summary>
internal static class SdkFaults
{
    /// <param name="translate">What an exception means here; <see cref="Of"/> unless given.</param>
    /// <exception cref="HubException"/>
    public static async Task<T> TranslateAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken, Func<Exception, HubFault>? translate = null)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (e is not HubException && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            throw new HubException((translate ?? Of)(e), e.Message, e);
        }
    }

    public static HubFault Of(Exception e) => e switch
    {
        EventHubsException { Reason: EventHubsException.FailureReason.ConsumerDisconnected } => HubFault.Disconnected,
        EventHubsException { Reason: EventHubsException.FailureReason.ResourceNotFound } => HubFault.NotFound,
        UnauthorizedAccessException or AuthenticationFailedException => HubFault.Refused,
        _ => HubFault.Transient,
    };

    /// <summary>Of a receiver: the service rejects an argument only when it is the position to start from (<c>argument-error</c>, <c>argument-out-of-range</c>, an invalid geo-replication offset).</summary>
    public static HubFault OfPosition(Exception e) => e is ArgumentException or FormatException ? HubFault.PositionInvalid : Of(e);
}

using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>
/// Whether the provider's keys have been fetched yet. Until then a token can be neither taken nor refused; callers that come together wait for one attempt, and the next is made a while later.
/// Once fetched, the last known keys serve.
/// </summary>
internal sealed partial class IdentityProvider(TimeProvider time, ILogger<IdentityProvider> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private volatile bool _known;
    private Task<bool>? _attempt;
    private DateTimeOffset _next;

    public ValueTask<bool> IsKnownAsync(IConfigurationManager<OpenIdConnectConfiguration> metadata, CancellationToken cancellationToken)
    {
        if (_known)
            return new(true);
        lock (_lock)
        {
            if (_attempt is null or { IsCompleted: true })
            {
                if (time.GetUtcNow() < _next)
                    return new(false);
                _attempt = Task.Run(() => AttemptAsync(metadata), CancellationToken.None);
            }

            return new(_attempt.WaitAsync(cancellationToken));
        }
    }

    private async Task<bool> AttemptAsync(IConfigurationManager<OpenIdConnectConfiguration> metadata)
    {
        try
        {
            // Not the caller's token: others wait for the same answer.
            await metadata.GetConfigurationAsync(CancellationToken.None);
            _known = true;
            return true;
        }
        catch (Exception exception)
        {
            lock (_lock)
                _next = time.GetUtcNow() + Pause;
            LogUnknown(logger, exception.Message, exception.InnerException?.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The identity provider's keys can't be fetched, so no token is taken yet: {Fault} {Cause}")]
    private static partial void LogUnknown(ILogger logger, string fault, string? cause);
}

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>A credential that is not taken; the message is for the caller.</summary>
internal sealed class AccessException(string message) : Exception(message)
{
    /// <summary>The fault is not the caller's: the same call may pass later.</summary>
    public bool IsTransient { get; init; }
}

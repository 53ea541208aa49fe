namespace PaymentPlatform.LocalInfrastructure;

/// <summary>The local servers can't be started; the message is one line for the person at the keyboard.</summary>
public sealed class LocalPlatformException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Another process uses the data folder.</summary>
    public bool IsInUse { get; init; }
}

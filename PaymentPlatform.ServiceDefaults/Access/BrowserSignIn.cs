namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Metadata of a page: a browser without a credential is asked for one (HTTP Basic, the key as password).</summary>
internal sealed class BrowserSignIn
{
    public static readonly BrowserSignIn Instance = new();
}

using Azure.Identity;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.Storage;

/// <summary>
/// Opens the blobs from what the connection string <c>blobs</c> holds: an Azure Storage connection string (Azurite, account key, SAS), or the account's address
/// (<c>https://account.blob.core.windows.net/</c>), which signs in as the process's own identity unless the address carries a SAS.
/// </summary>
public static class BlobConnection
{
    public const string Name = "blobs";

    /// <exception cref="OptionsValidationException">The value is missing or of neither form; the message says what to set and never holds the value.</exception>
    public static BlobServiceClient Open(string? value, BlobClientOptions options)
    {
        if (string.IsNullOrWhiteSpace(value))
            throw Refused($"is missing: set ConnectionStrings__{Name}.");
        if (Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "https" or "http" && address.Host.Length > 0)
            return OpenAddress(address, options);
        try
        {
            return new BlobServiceClient(value, options);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            throw Refused("can't be read: it must be an Azure Storage connection string, or the address of an account such as https://account.blob.core.windows.net/.");
        }
    }

    private static BlobServiceClient OpenAddress(Uri address, BlobClientOptions options)
    {
        if (address.Query.Contains("sig=", StringComparison.Ordinal))
            return new BlobServiceClient(address, options);
        // An access token must not travel in the clear; the client would refuse it with every single request.
        if (address.Scheme != Uri.UriSchemeHttps)
            throw Refused("is an http address: an identity signs in over https only; use a connection string for a local emulator.");
        return new BlobServiceClient(address, new DefaultAzureCredential(), options);
    }

    private static OptionsValidationException Refused(string why) => new(Name, typeof(string), [$"The connection string '{Name}' {why}"]);
}

using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary><c>X-Api-Key</c>; and for browsers, which can't send that when a person opens a page, the key as the password of HTTP Basic in calls that only read.</summary>
internal sealed class ApiKeyHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiKeyRing keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "ApiKey";
    public const string Header = "X-Api-Key";

    private const string BasicPrefix = "Basic ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers[Header];
        if (header.Count > 0)
            return header.Count == 1 ? keys.Find(header[0]) : ApiKeyRing.Fail($"{Header} is there more than once.");
        if (Request.Headers.Authorization is not [{ } authorization])
            return Task.FromResult(AuthenticateResult.NoResult());
        if (!authorization.StartsWith(BasicPrefix, StringComparison.OrdinalIgnoreCase))
            return ApiKeyRing.Fail("Authorization must be 'Bearer' and a token, where tokens are configured.");
        return IsRead() ? FromBasic(authorization.AsSpan(BasicPrefix.Length).Trim()) : ApiKeyRing.Fail($"HTTP Basic is for reading in a browser only: send {Header}.");
    }

    /// <summary>A browser adds Basic to whatever any page makes it send: it must never change anything.</summary>
    private bool IsRead() => (HttpMethods.IsGet(Request.Method) || HttpMethods.IsHead(Request.Method)) && Context.GetEndpoint()?.Metadata.GetMetadata<RequiredRole>()?.Role is null or AccessRole.Read;

    /// <summary>The user name does not matter.</summary>
    private Task<AuthenticateResult> FromBasic(ReadOnlySpan<char> encoded)
    {
        Span<byte> bytes = stackalloc byte[ApiKeyRing.MaxKeyLength];
        if (encoded.Length > ApiKeyRing.MaxKeyLength || !Convert.TryFromBase64Chars(encoded, bytes, out var length))
            return ApiKeyRing.Fail("The credential of HTTP Basic is not Base64.");
        var text = Encoding.UTF8.GetString(bytes[..length]);
        return keys.Find(text.AsSpan(text.IndexOf(':') + 1));
    }
}

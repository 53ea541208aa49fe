using Microsoft.Extensions.Configuration;
using Microsoft.IdentityModel.Tokens;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Reads section <c>Access:Jwt</c>.</summary>
internal static class JwtAccessReader
{
    public static readonly string[] Known = ["Authority", "MetadataAddress", "Issuer", "Audience", "RoleClaims", "SigningKeys"];

    private static readonly string[] DefaultRoleClaims = ["roles", "role"];

    public static JwtAccess Read(IConfigurationSection section, List<string> faults)
    {
        var metadata = MetadataAddress(section, faults);
        var keys = section["SigningKeys"] is { Length: > 0 } text ? SigningKeys(text, faults) : null;
        var issuers = AccessOptionsReader.List(section.GetSection("Issuer"));
        var audiences = AccessOptionsReader.List(section.GetSection("Audience"));
        var roleClaims = AccessOptionsReader.List(section.GetSection("RoleClaims"));

        var discovers = section["Authority"] is { Length: > 0 } || section["MetadataAddress"] is { Length: > 0 };
        if (discovers == (keys is not null))
            faults.Add("Access:Jwt needs one source of keys: Authority (or MetadataAddress), or SigningKeys.");
        if (!discovers && issuers.Count == 0)
            faults.Add("Access:Jwt:Issuer is missing: with SigningKeys it says whose tokens are taken.");
        if (audiences.Count == 0)
            faults.Add("Access:Jwt:Audience is missing: without it tokens for any other application would be taken.");
        return new() { MetadataAddress = metadata, SigningKeys = keys ?? [], Issuers = issuers, Audiences = audiences, RoleClaims = roleClaims.Count > 0 ? roleClaims : DefaultRoleClaims };
    }

    private static Uri? MetadataAddress(IConfigurationSection section, List<string> faults)
    {
        var option = section["MetadataAddress"] is { Length: > 0 } ? "MetadataAddress" : "Authority";
        if (section[option] is not { Length: > 0 } text)
            return null;
        // Over plain http anybody on the way could hand us keys.
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || !(address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)))
        {
            faults.Add($"Access:Jwt:{option} must be an https address.");
            return null;
        }

        return option == "MetadataAddress" ? address : new Uri($"{text.TrimEnd('/')}/.well-known/openid-configuration");
    }

    /// <summary>A JWKS document, or the file that holds it.</summary>
    private static List<SecurityKey> SigningKeys(string text, List<string> faults)
    {
        const string Option = "Access:Jwt:SigningKeys";
        try
        {
            var set = new JsonWebKeySet(text.TrimStart().StartsWith('{') ? text : File.ReadAllText(text));
            if (set.Keys.Any(key => key.Kty is not (JsonWebAlgorithmsKeyTypes.RSA or JsonWebAlgorithmsKeyTypes.EllipticCurve)))
                faults.Add($"{Option} must hold public RSA or EC keys only.");
            var keys = set.GetSigningKeys().ToList();
            if (keys.Count == 0)
                faults.Add($"{Option} holds no key.");
            return keys;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            faults.Add($"{Option} can't be read: {exception.Message}");
        }
        catch (Exception exception) when (exception is ArgumentException or System.Text.Json.JsonException or FormatException)
        {
            faults.Add($"{Option} is not a JWKS document (or the path of one).");
        }

        return [];
    }
}

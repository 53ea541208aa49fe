using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

/// <summary>Makes tokens, good and bad, as an identity provider with one RSA key does.</summary>
internal sealed class TokenIssuer : IDisposable
{
    public const string Audience = "api://payments";
    public const string Issuer = "https://login.example/tenant/v2.0";

    private readonly RSA _rsa = RSA.Create(2048);
    private readonly string _keyId = Guid.NewGuid().ToString("N");

    private RsaSecurityKey SigningKey => new(_rsa) { KeyId = _keyId };

    /// <summary>The public half.</summary>
    public string Jwks
    {
        get
        {
            var parameters = _rsa.ExportParameters(includePrivateParameters: false);
            return JsonSerializer.Serialize(new
            {
                keys = new[] { new { kty = "RSA", use = "sig", kid = _keyId, n = Base64UrlEncoder.Encode(parameters.Modulus), e = Base64UrlEncoder.Encode(parameters.Exponent) } },
            });
        }
    }

    /// <summary>Settings that take this issuer's tokens without discovery.</summary>
    public Dictionary<string, string?> Settings => new() { ["Access:Jwt:SigningKeys"] = Jwks, ["Access:Jwt:Issuer"] = Issuer, ["Access:Jwt:Audience"] = Audience };

    public string Create(string role) => Create(Claims(role));

    public string Create(Dictionary<string, object> claims, string issuer = Issuer, string audience = Audience, TimeSpan? from = null, TimeSpan? to = null) =>
        Sign(claims, new SigningCredentials(SigningKey, SecurityAlgorithms.RsaSha256), issuer, audience, from, to);

    public static Dictionary<string, object> Claims(string role) => new() { ["sub"] = "subject-1", ["roles"] = new[] { role } };

    /// <summary>Every way in which a token with this role is not good, by name.</summary>
    public Dictionary<string, string> BadTokens(string role)
    {
        using var other = new TokenIssuer();
        var claims = Claims(role);
        var good = Create(role).Split('.');
        return new()
        {
            ["expired"] = Create(claims, from: TimeSpan.FromHours(-2), to: TimeSpan.FromMinutes(-2)),
            ["not valid yet"] = Create(claims, from: TimeSpan.FromMinutes(5), to: TimeSpan.FromHours(1)),
            ["foreign issuer"] = Create(claims, issuer: "https://login.example/other"),
            ["foreign audience"] = Create(claims, audience: "api://others"),
            ["foreign key"] = other.Create(role),
            ["foreign key, same key id"] = Sign(claims, new SigningCredentials(new RsaSecurityKey(other._rsa) { KeyId = _keyId }, SecurityAlgorithms.RsaSha256)),
            ["unsigned"] = $"{Encode("""{"alg":"none","typ":"JWT"}""")}.{good[1]}.",
            ["signature cut off"] = $"{good[0]}.{good[1]}.",
            ["changed"] = $"{good[0]}.{Encode(Base64UrlEncoder.Decode(good[1]).Replace("subject-1", "subject-2"))}.{good[2]}",
            ["HMAC with the public key (PEM)"] = Hmac(claims, Encoding.ASCII.GetBytes(_rsa.ExportSubjectPublicKeyInfoPem())),
            ["HMAC with the public key (DER)"] = Hmac(claims, _rsa.ExportSubjectPublicKeyInfo()),
            ["HMAC with the public key (JWKS)"] = Hmac(claims, Encoding.UTF8.GetBytes(Jwks)),
            ["without an end"] = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
                new SecurityTokenDescriptor { Issuer = Issuer, Audience = Audience, Claims = claims, SigningCredentials = new(SigningKey, SecurityAlgorithms.RsaSha256) }),
            ["not a token"] = "e30.e30.e30",
            ["nothing like one"] = "secret",
        };
    }

    public void Dispose() => _rsa.Dispose();

    private string Hmac(Dictionary<string, object> claims, byte[] key) => Sign(claims, new SigningCredentials(new SymmetricSecurityKey(key) { KeyId = _keyId }, SecurityAlgorithms.HmacSha256));

    private static string Encode(string text) => Base64UrlEncoder.Encode(text);

    private static string Sign(Dictionary<string, object> claims, SigningCredentials credentials, string issuer = Issuer, string audience = Audience, TimeSpan? from = null, TimeSpan? to = null)
    {
        var now = DateTime.UtcNow;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            NotBefore = now + (from ?? TimeSpan.FromMinutes(-1)),
            Expires = now + (to ?? TimeSpan.FromHours(1)),
            Claims = claims,
            SigningCredentials = credentials,
        });
    }
}

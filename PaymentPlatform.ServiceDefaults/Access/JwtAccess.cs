using Microsoft.IdentityModel.Tokens;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Which tokens are taken. Either <see cref="MetadataAddress"/> or <see cref="SigningKeys"/> is there.</summary>
internal sealed record JwtAccess
{
    /// <summary>Asymmetric signatures only: a public key must never pass as the secret of an HMAC.</summary>
    public static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    /// <summary>The provider's OpenID Connect document: issuer and keys.</summary>
    public Uri? MetadataAddress { get; init; }

    public IReadOnlyList<SecurityKey> SigningKeys { get; init; } = [];

    /// <summary>Besides the document's own.</summary>
    public IReadOnlyList<string> Issuers { get; init; } = [];

    public required IReadOnlyList<string> Audiences { get; init; }

    /// <summary>Claims that hold roles, as a list or separated by spaces.</summary>
    public required IReadOnlyList<string> RoleClaims { get; init; }
}

using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>The caller of a valid token.</summary>
internal static class TokenPrincipal
{
    private const int MaxSubjectLength = 128;

    /// <summary>The subject, or the application that stands for itself.</summary>
    private static readonly string[] SubjectClaims = ["sub", "oid", "azp", "appid", "client_id"];

    public static ClaimsPrincipal Create(ClaimsPrincipal token, IReadOnlyList<string> roleClaims)
    {
        var subject = SubjectClaims.Select(token.FindFirstValue).FirstOrDefault(value => !string.IsNullOrEmpty(value)) ?? "unknown";
        var roles = roleClaims.SelectMany(token.FindAll)
            .SelectMany(claim => claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            // The provider's other roles are not ours to judge.
            .SelectMany(name => AccessRoles.TryParse(name, out var role) ? [role] : Array.Empty<AccessRole>());
        return AccessPrincipal.Create($"token:{subject[..Math.Min(subject.Length, MaxSubjectLength)]}", roles, JwtBearerDefaults.AuthenticationScheme);
    }

    private static string? FindFirstValue(this ClaimsPrincipal token, string type) => token.FindFirst(type)?.Value;
}

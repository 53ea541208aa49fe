using System.Security.Claims;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>A caller, known only by who it is and what it may do: nothing else of a token goes further.</summary>
internal static class AccessPrincipal
{
    private const string NameClaim = "name";
    private const string RoleClaim = "role";

    /// <param name="who">For the log, as <c>key:shop</c> or <c>token:subject</c>; never the credential.</param>
    public static ClaimsPrincipal Create(string who, IEnumerable<AccessRole> roles, string scheme)
    {
        var claims = AccessRoles.Expand(roles).Select(role => new Claim(RoleClaim, role.Name())).Prepend(new Claim(NameClaim, who));
        return new(new ClaimsIdentity(claims, scheme, NameClaim, RoleClaim));
    }

    public static bool IsKnown(this ClaimsPrincipal user) => user.Identity?.IsAuthenticated == true;

    public static string Who(this ClaimsPrincipal user) => user.IsKnown() ? user.Identity!.Name! : "anonymous";
}

using System.Security.Claims;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Whether calls need a credential; settled by the host, once.</summary>
/// <param name="Reason">Why, in half a sentence, for the line that refuses a start without credentials. Null: they need none.</param>
internal sealed record AccessRequirement(string? Reason)
{
    public bool IsOpen => Reason is null;

    public bool Grants(ClaimsPrincipal user, AccessRole role) => IsOpen || user.IsInRole(role.Name());
}

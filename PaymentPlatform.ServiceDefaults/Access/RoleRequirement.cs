using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <param name="Role">Null: the path leads to no endpoint of ours, or to one without a role.</param>
internal sealed record RoleRequirement(AccessRole? Role) : IAuthorizationRequirement;

internal sealed class RoleRequirementHandler(AccessRequirement access) : AuthorizationHandler<RoleRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, RoleRequirement requirement)
    {
        var granted = requirement.Role switch
        {
            { } role => access.Grants(context.User, role),
            // Nobody is let in where nobody said who may: only the start's own check should ever meet this.
            null when context.Resource is HttpContext http && http.GetEndpoint() is RouteEndpoint => false,
            // To be told "not found" or "method not allowed" any credential will do.
            null => access.IsOpen || context.User.IsKnown(),
        };
        if (granted)
            context.Succeed(requirement);
        return Task.CompletedTask;
    }
}

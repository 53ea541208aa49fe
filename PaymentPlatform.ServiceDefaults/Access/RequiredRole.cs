using Microsoft.AspNetCore.Authorization;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Metadata of an endpoint: the role that a call of it needs. The policy of that name does the work.</summary>
public sealed class RequiredRole(AccessRole role) : IAuthorizeData
{
    public AccessRole Role { get; } = role;

    string? IAuthorizeData.Policy
    {
        get => Role.Name();
        set => throw new NotSupportedException();
    }

    string? IAuthorizeData.Roles
    {
        get => null;
        set => throw new NotSupportedException();
    }

    string? IAuthorizeData.AuthenticationSchemes
    {
        get => null;
        set => throw new NotSupportedException();
    }
}

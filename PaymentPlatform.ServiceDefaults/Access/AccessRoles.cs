using System.Diagnostics.CodeAnalysis;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>The roles' names, as in configuration and tokens.</summary>
internal static class AccessRoles
{
    private static readonly Dictionary<string, AccessRole> ByName = Enum.GetValues<AccessRole>().ToDictionary(Name, StringComparer.OrdinalIgnoreCase);

    public static string List { get; } = string.Join(", ", ByName.Keys);

    public static string Name(this AccessRole role) => role switch
    {
        AccessRole.Ingest => "ingest",
        AccessRole.Read => "read",
        AccessRole.Operate => "operate",
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };

    public static bool TryParse([NotNullWhen(true)] string? name, out AccessRole role)
    {
        role = default;
        return name is not null && ByName.TryGetValue(name, out role);
    }

    /// <summary>With those that come along.</summary>
    public static IEnumerable<AccessRole> Expand(IEnumerable<AccessRole> roles) =>
        roles.SelectMany(role => role == AccessRole.Operate ? [role, AccessRole.Read] : new[] { role }).Distinct();
}

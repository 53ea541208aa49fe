using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Reads section <c>Access</c> strictly: what is not understood stops the start, so that no slip of the pen opens or closes a door.</summary>
internal sealed partial class AccessOptionsReader(IConfiguration configuration, AccessRequirement requirement) : IConfigureOptions<AccessOptions>, IValidateOptions<AccessOptions>
{
    private const string OperateKey = "OperateKey";
    private const string OperateKeyName = "operate";
    private const string HashPrefix = "sha256:";

    /// <summary>What the AppHost generates is longer; a word or a name is shorter.</summary>
    private const int MinKeyLength = 20;

    private static readonly byte[] EmptyHash = SHA256.HashData(ReadOnlySpan<byte>.Empty);

    /// <summary>Whether anything is set that could let a caller in.</summary>
    public static bool HasSource(IConfiguration configuration)
    {
        var section = configuration.GetSection(AccessOptions.Section);
        return section[OperateKey] is { Length: > 0 } || section.GetSection("ApiKeys").GetChildren().Any() || section.GetSection("Jwt").GetChildren().Any();
    }

    public void Configure(AccessOptions options)
    {
        var section = configuration.GetSection(AccessOptions.Section);
        Expect(section, options, OperateKey, "ApiKeys", "Jwt", "Hosts");
        ReadOperateKey(section, options);
        foreach (var key in section.GetSection("ApiKeys").GetChildren())
            ReadKey(key, options);
        ReportTwins(options);
        options.Hosts = List(section.GetSection("Hosts"));
        if (section.GetSection("Jwt") is var jwt && jwt.GetChildren().Any())
        {
            Expect(jwt, options, JwtAccessReader.Known);
            options.Jwt = JwtAccessReader.Read(jwt, options.Faults);
        }

        if (!requirement.IsOpen && !HasSource(configuration))
        {
            options.Faults.Add(
                $"{requirement.Reason}, and none is configured: set Access:OperateKey (a secret of at least {MinKeyLength} characters), "
                + "Access:ApiKeys:<name>:Hash and :Roles, or Access:Jwt:Authority and :Audience (docs/access.md).");
        }
    }

    public ValidateOptionsResult Validate(string? name, AccessOptions options) =>
        options.Faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(options.Faults);

    /// <summary>An array, or one text separated by commas as environment variables have it.</summary>
    internal static IReadOnlyList<string> List(IConfigurationSection section)
    {
        var values = section.Value is { } text ? [text] : section.GetChildren().Select(child => child.Value ?? "");
        return [.. values.SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
    }

    private static void Expect(IConfigurationSection section, AccessOptions options, params string[] known)
    {
        foreach (var child in section.GetChildren().Where(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
            options.Faults.Add($"{child.Path} is not known: {section.Path} has {string.Join(", ", known)}.");
    }

    private static void ReadOperateKey(IConfigurationSection section, AccessOptions options)
    {
        if (section[OperateKey] is not { Length: > 0 } key)
            return;
        if (key.Length < MinKeyLength || key.AsSpan().ContainsAnyExceptInRange('!', '~'))
            options.Faults.Add($"Access:OperateKey must be at least {MinKeyLength} printable ASCII characters without spaces, made at random.");
        // The first key of a new installation: with it alone everything works.
        options.Keys.Add(new(OperateKeyName, SHA256.HashData(Encoding.UTF8.GetBytes(key)), [AccessRole.Operate, AccessRole.Ingest]));
    }

    private static void ReadKey(IConfigurationSection section, AccessOptions options)
    {
        Expect(section, options, "Hash", "Roles");
        if (!KeyName().IsMatch(section.Key))
            options.Faults.Add($"Access:ApiKeys: a key's name has 1 to 64 letters, digits, '.', '_' or '-', unlike '{section.Key}'.");

        // Not what it is: somebody may have put the key itself there.
        var hash = section["Hash"] is { } text && HashText().IsMatch(text) ? Convert.FromHexString(text.AsSpan(HashPrefix.Length)) : null;
        if (hash is null)
            options.Faults.Add($"{section.Path}:Hash must be {HashPrefix} and the 64 hexadecimal digits of the key's SHA-256.");
        else if (hash.AsSpan().SequenceEqual(EmptyHash))
            options.Faults.Add($"{section.Path}:Hash is that of an empty key.");

        var roles = new List<AccessRole>();
        foreach (var name in List(section.GetSection("Roles")))
        {
            if (AccessRoles.TryParse(name, out var role))
                roles.Add(role);
            else
                options.Faults.Add($"{section.Path}:Roles: '{name}' is not one of {AccessRoles.List}.");
        }

        if (roles.Count == 0)
            options.Faults.Add($"{section.Path}:Roles must name at least one of {AccessRoles.List}.");
        options.Keys.Add(new(section.Key, hash ?? [], roles));
    }

    private static void ReportTwins(AccessOptions options)
    {
        foreach (var name in options.Keys.GroupBy(key => key.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
            options.Faults.Add($"Access:ApiKeys:{name.Key} has the name of the key of Access:OperateKey: choose another.");
        foreach (var hash in options.Keys.Where(key => key.Hash.Length > 0).GroupBy(key => Convert.ToHexString(key.Hash)).Where(group => group.Count() > 1))
            options.Faults.Add($"Access: {string.Join(" and ", hash.Select(key => key.Name))} are the same key: give each its own.");
    }

    [GeneratedRegex("^[A-Za-z0-9._-]{1,64}$")]
    private static partial Regex KeyName();

    [GeneratedRegex("^sha256:[0-9A-Fa-f]{64}$")]
    private static partial Regex HashText();
}

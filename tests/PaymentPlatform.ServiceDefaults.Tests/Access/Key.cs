using System.Security.Cryptography;
using System.Text;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

/// <summary>Keys as an operator would make and set them.</summary>
internal static class Key
{
    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    public static string Hash(string key) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    public static Dictionary<string, string?> Settings(string name, string key, string roles) =>
        new() { [$"Access:ApiKeys:{name}:Hash"] = Hash(key), [$"Access:ApiKeys:{name}:Roles"] = roles };
}

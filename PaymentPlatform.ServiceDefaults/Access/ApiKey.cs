namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>A named key; of the key itself only the SHA-256 is kept.</summary>
internal sealed record ApiKey(string Name, byte[] Hash, IReadOnlyList<AccessRole> Roles);

namespace PaymentPlatform.Faults.Scenarios;

/// <summary>FNV-1a: the same in every process, which <see cref="string.GetHashCode()"/> is not.</summary>
internal static class StableHash
{
    public static uint Of(string text)
    {
        var hash = 2166136261u;
        foreach (var c in text)
            hash = (hash ^ c) * 16777619;
        return hash;
    }
}

namespace PaymentPlatform.AppHost;

/// <summary>Values that nobody has to think up.</summary>
internal static class Generated
{
    /// <summary>Letters and digits only, so that no connection string has to quote it; enough kinds of them for Azure's rules.</summary>
    public static GenerateParameterDefault Secret() => new() { MinLength = 40, Special = false, MinLower = 2, MinUpper = 2, MinNumeric = 2 };
}

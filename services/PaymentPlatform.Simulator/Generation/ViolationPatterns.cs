using System.Collections.Frozen;
using System.Text.Json;

namespace PaymentPlatform.Simulator;

/// <summary>What is known of each pattern.</summary>
internal static class ViolationPatterns
{
    public const int Count = (int)ViolationPattern.FraudIndicators + 1;

    public static readonly IReadOnlyList<ViolationPattern> All = [.. Enum.GetValues<ViolationPattern>().Where(p => p != ViolationPattern.None)];

    public static readonly IReadOnlyList<ViolationFamily> Families = Enum.GetValues<ViolationFamily>();

    private static readonly string[] Names = [.. Enum.GetNames<ViolationPattern>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    private static readonly string[] FamilyNames = [.. Enum.GetNames<ViolationFamily>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    private static readonly FrozenDictionary<string, ViolationPattern> ByName = All.ToFrozenDictionary(Name);

    public static string Name(ViolationPattern pattern) => Names[(int)pattern];

    public static string Name(ViolationFamily family) => FamilyNames[(int)family];

    public static bool TryParse(string name, out ViolationPattern pattern) => ByName.TryGetValue(name, out pattern);

    public static ViolationFamily Family(ViolationPattern pattern) => pattern switch
    {
        <= ViolationPattern.RapidFire => ViolationFamily.Aml,
        <= ViolationPattern.MissingCountry => ViolationFamily.Kyc,
        <= ViolationPattern.FullCardNumber => ViolationFamily.Pci,
        <= ViolationPattern.TruncatedJson => ViolationFamily.DataQuality,
        _ => ViolationFamily.BusinessRules,
    };

    /// <summary>Whether the event itself is invalid, which ingest refuses; a full card number counts, as ingest rejects it unless it is told otherwise.</summary>
    public static bool IsInvalid(ViolationPattern pattern) => pattern is ViolationPattern.FullCardNumber || (pattern != ViolationPattern.None && Family(pattern) == ViolationFamily.DataQuality);

    /// <summary>How many events make the pattern; fewer are none.</summary>
    public static int Smallest(ViolationPattern pattern) => pattern switch
    {
        ViolationPattern.Structuring => 3,
        ViolationPattern.RapidFire => 100,
        ViolationPattern.CurrencyMismatch => 2,
        _ => 1,
    };

    /// <summary>How many events a planted group has.</summary>
    public static (int Least, int Most) GroupSize(ViolationPattern pattern) => pattern switch
    {
        ViolationPattern.Structuring => (3, 6),
        ViolationPattern.RapidFire => (105, 125),
        ViolationPattern.CurrencyMismatch => (2, 2),
        _ => (1, 1),
    };

    /// <summary>Share of all events: 13 % in all.</summary>
    public static double DefaultShare(ViolationPattern pattern) => pattern switch
    {
        ViolationPattern.Structuring => 0.006,
        ViolationPattern.LargeAmount => 0.008,
        ViolationPattern.RapidFire => 0.006,
        <= ViolationPattern.MissingCountry => 0.01,
        ViolationPattern.CardDataMissing => 0.004,
        ViolationPattern.UnknownCardBrand or ViolationPattern.FullCardNumber => 0.003,
        <= ViolationPattern.FutureTimestamp => 0.01,
        ViolationPattern.MissingTransactionId or ViolationPattern.TruncatedJson => 0,
        _ => 0.004,
    };

    public static string Severity(ViolationPattern pattern) => Family(pattern) switch
    {
        ViolationFamily.Aml or ViolationFamily.Pci => "high",
        ViolationFamily.DataQuality => "low",
        _ => "medium",
    };
}

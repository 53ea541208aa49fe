namespace PaymentPlatform.Simulator;

/// <summary>The groups of <see cref="ViolationPattern"/> that the settings name.</summary>
internal enum ViolationFamily
{
    Aml,
    Kyc,
    Pci,
    DataQuality,
    BusinessRules,
}

namespace PaymentPlatform.Testing;

/// <summary>Says which of the fixed values a property failed for.</summary>
public sealed class FixedSampleException(int index, string value, Exception inner) : Exception($"Sample {index} failed: {value}", inner);

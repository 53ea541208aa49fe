namespace PaymentPlatform.Simulator;

/// <summary>How large a part of the events has this value; all parts of a setting sum to 1.</summary>
public readonly record struct Share(string Name, double Part);

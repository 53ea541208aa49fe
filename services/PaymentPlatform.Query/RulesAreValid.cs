namespace PaymentPlatform.Query;

/// <summary>The answer to rules that could be taken in.</summary>
public sealed record RulesAreValid(bool Valid);

namespace PaymentPlatform.Events;

/// <summary>How strict the parser is.</summary>
public sealed record TransactionParserOptions
{
    public CardDataMode CardData { get; init; } = CardDataMode.Reject;

    /// <summary>How far a transaction may lie in the future of the moment it was enqueued.</summary>
    public TimeSpan AllowedClockSkew { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Deeper nesting is an error (<see cref="Constraints.Depth"/>), never an exception.</summary>
    public int MaxDepth { get; init; } = 32;
}

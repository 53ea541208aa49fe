namespace PaymentPlatform.Streaming;

/// <summary>What became of an <see cref="IdempotencyClaim"/>.</summary>
/// <param name="IsRepeat">True when key and chunk were taken before: the claim's messages were not published again.</param>
/// <param name="BodyHash">The hash that stands: the claim's own, or the earlier one's.</param>
/// <param name="Outcome">The outcome that stands: the claim's own, or the earlier one's.</param>
public readonly record struct ClaimOutcome(bool IsRepeat, ReadOnlyMemory<byte> BodyHash, ReadOnlyMemory<byte> Outcome);

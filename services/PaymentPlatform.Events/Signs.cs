namespace PaymentPlatform.Events;

/// <summary>What the pass over an event saw beyond the errors that it reported itself.</summary>
[Flags]
internal enum Signs
{
    None = 0,

    /// <summary>Digits that pass for a card number, or a secret's name: perhaps in an exempt place.</summary>
    CardData = 1,

    /// <summary>Bytes that aren't UTF-8, or escapes that are no storable text.</summary>
    UnreadableText = 2,

    /// <summary>Not JSON, or nested too deep: the rest was not read.</summary>
    Broken = 4,
}

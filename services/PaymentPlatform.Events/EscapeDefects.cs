namespace PaymentPlatform.Events;

/// <summary>What makes a well-formed JSON string no storable text.</summary>
[Flags]
internal enum EscapeDefects
{
    None = 0,

    /// <summary>Half of a UTF-16 pair: no character, and not writable as UTF-8.</summary>
    LoneSurrogate = 1,

    /// <summary>U+0000, which PostgreSQL's text and jsonb can't hold.</summary>
    Nul = 2,
}

namespace PaymentPlatform.Events;

/// <summary>What the parser found in one payload. Owned and filled again by the parser, as <see cref="ParsedTransaction"/> is.</summary>
public sealed class ParseResult
{
    private readonly List<ValidationError> _errors = [];

    public ParsedTransaction Transaction { get; } = new();

    /// <summary>
    /// All errors: those of values in the order in which they were met, then missing fields, then unreadable text and card data. Empty for a valid event.
    /// The list is filled again by the next call; the errors themselves may be kept.
    /// </summary>
    public IReadOnlyList<ValidationError> Errors => _errors;

    public bool IsValid => _errors.Count == 0;

    /// <summary>
    /// The bytes to store: the payload itself, or a masked copy under <see cref="CardDataMode.Mask"/> when it held card data.
    /// A copy is made for this event alone and stays as it is after the next call.
    /// </summary>
    public ReadOnlyMemory<byte> Payload { get; internal set; }

    /// <summary>True when <see cref="Payload"/> is a masked copy.</summary>
    public bool IsMasked { get; internal set; }

    internal List<ValidationError> MutableErrors => _errors;
}

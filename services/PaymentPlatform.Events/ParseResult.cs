namespace PaymentPlatform.Events;

/// <summary>What the parser found in one payload. Owned and filled again by the parser, as <see cref="ParsedTransaction"/> is.</summary>
public sealed class ParseResult
{
    private readonly List<ValidationError> _errors = [];

    public ParsedTransaction Transaction { get; } = new();

    /// <summary>All errors in the order in which they were met; empty for a valid event.</summary>
    public IReadOnlyList<ValidationError> Errors => _errors;

    public bool IsValid => _errors.Count == 0;

    /// <summary>The bytes to store: the payload itself, or a masked copy under <see cref="CardDataMode.Mask"/> when it held card data.</summary>
    public ReadOnlyMemory<byte> Payload { get; internal set; }

    /// <summary>True when <see cref="Payload"/> is a masked copy.</summary>
    public bool IsMasked { get; internal set; }

    internal List<ValidationError> MutableErrors => _errors;
}

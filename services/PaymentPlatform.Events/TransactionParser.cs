namespace PaymentPlatform.Events;

/// <summary>
/// Parses and validates one event in a single pass over its UTF-8 bytes. Not thread-safe: one instance a thread, used again and again.
/// No input throws. What each odd input gets is in this project's README.
/// </summary>
public sealed class TransactionParser
{
    private const int MaxSupportedDepth = 1000;

    private readonly ParseResult _result = new();
    private readonly CardDataMode _cardData;
    private readonly ErrorReport _errors;
    private readonly EventReader _reader;
    private readonly PayloadInspector _inspector;

    /// <exception cref="ArgumentOutOfRangeException">An option has a value that can't be meant.</exception>
    public TransactionParser(TransactionParserOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxDepth, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxDepth, MaxSupportedDepth);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.AllowedClockSkew, TimeSpan.Zero);
        _cardData = options.CardData;
        _errors = new ErrorReport(_result.MutableErrors, hideCardData: _cardData != CardDataMode.Allow);
        _reader = new EventReader(_result.Transaction, _errors, options);
        _inspector = new PayloadInspector(options.MaxDepth);
    }

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <param name="payload">The exact bytes of the event.</param>
    /// <param name="enqueuedAtMicros">Microseconds since the Unix epoch: the moment against which "in the future" is measured.</param>
    /// <returns>The parser's own result object: valid until the next call.</returns>
    public ParseResult Parse(ReadOnlyMemory<byte> payload, long enqueuedAtMicros)
    {
        (_result.Payload, _result.IsMasked) = (payload, false);
        var signs = Read(payload, enqueuedAtMicros, guard: _cardData != CardDataMode.Allow);
        if (signs != Signs.None)
            LookAgain(payload, enqueuedAtMicros, (signs & Signs.Broken) != 0);
        return _result;
    }

    private Signs Read(ReadOnlyMemory<byte> payload, long enqueuedAtMicros, bool guard)
    {
        _result.MutableErrors.Clear();
        _result.Transaction.Clear();
        return _reader.Read(payload[BodyStart(payload.Span)..], enqueuedAtMicros, guard);
    }

    private void LookAgain(ReadOnlyMemory<byte> payload, long enqueuedAtMicros, bool broken)
    {
        var bodyStart = BodyStart(payload.Span);
        if (!broken)
            _inspector.Inspect(payload.Span[bodyStart..]);
        var masked = _cardData == CardDataMode.Allow ? null
            : broken ? TextMasker.MaskAnything(payload.Span)
            : _inspector.Edits.Count == 0 ? null
            : [.. payload.Span[..bodyStart], .. PayloadEdit.Apply(payload.Span[bodyStart..], _inspector.Edits)];

        if (masked is not null && _cardData == CardDataMode.Mask)
            TakeMasked(masked, enqueuedAtMicros, broken);
        if (!broken)
            _inspector.Encoding.ForEach(_errors.Encoding);
        if (masked is not null && _cardData == CardDataMode.Reject)
            Refuse(masked, enqueuedAtMicros, broken);
    }

    /// <summary>The event is what the masked copy says, as everybody will find who reads the stored bytes again.</summary>
    private void TakeMasked(byte[] masked, long enqueuedAtMicros, bool broken)
    {
        var reason = broken ? _result.Errors[0] : null;
        var signs = Read(masked, enqueuedAtMicros, guard: false);
        (_result.Payload, _result.IsMasked) = (masked, true);

        // Masking may hide what broke it; it stays broken.
        if (reason is not null && (signs & Signs.Broken) == 0)
            _result.MutableErrors.Insert(0, reason);
    }

    /// <summary>The errors are those of the original; the fields, which may end in a log, come from a masked copy.</summary>
    private void Refuse(byte[] masked, long enqueuedAtMicros, bool broken)
    {
        if (!broken)
            _inspector.CardData.ForEach(_errors.CardData);
        ValidationError[] errors = [.. _result.Errors];
        Read(masked, enqueuedAtMicros, guard: false);
        _result.MutableErrors.Clear();
        _result.MutableErrors.AddRange(errors);
    }

    private static int BodyStart(ReadOnlySpan<byte> payload) => payload.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
}

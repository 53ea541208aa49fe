namespace PaymentPlatform.Events;

/// <summary>
/// Parses and validates one event in a single pass over its UTF-8 bytes. Not thread-safe: one instance a thread, used again and again.
/// No input throws.
/// </summary>
public sealed class TransactionParser(TransactionParserOptions options)
{
    private readonly ParseResult _result = new();

    /// <param name="payload">The exact bytes of the event.</param>
    /// <param name="enqueuedAtMicros">Microseconds since the Unix epoch: the moment against which "in the future" is measured.</param>
    /// <returns>The parser's own result object: valid until the next call.</returns>
    public ParseResult Parse(ReadOnlyMemory<byte> payload, long enqueuedAtMicros)
    {
        _ = options;
        _ = enqueuedAtMicros;
        _result.Payload = payload;
        return _result;
    }
}

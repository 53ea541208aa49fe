using System.Text.Json;
using System.Text.Unicode;

namespace PaymentPlatform.Events;

/// <summary>The single pass: reads the tokens of one event once, fills the transaction, reports the errors and notes the signs of what needs a second look.</summary>
internal sealed class EventReader(ParsedTransaction transaction, ErrorReport errors, TransactionParserOptions options)
{
    /// <summary>Bigger buffers are given back after their event.</summary>
    private const int KeptScratch = 256 * 1024;

    private readonly FieldRules _rules = new(transaction, errors, options);
    private readonly ulong[] _nesting = new ulong[options.MaxDepth / 64 + 1];
    private byte[] _scratch = [];
    private byte[] _plain = [];
    private int _scratchUsed;
    private ReadOnlyMemory<byte> _body;
    private bool _guard;
    private bool _validUtf8;
    private uint _seen;
    private uint _repeated;
    private uint _aliased;
    private Signs _signs;

    /// <param name="body">The event without a byte order mark.</param>
    /// <param name="enqueuedAtMicros">Against which "in the future" is measured.</param>
    /// <param name="guard">Whether to look for card data.</param>
    public Signs Read(ReadOnlyMemory<byte> body, long enqueuedAtMicros, bool guard)
    {
        var span = body.Span;
        (_body, _guard, _rules.EnqueuedAtMicros) = (body, guard, enqueuedAtMicros);
        (_seen, _repeated, _aliased, _scratchUsed) = (0, 0, 0, 0);
        if (_scratch.Length > KeptScratch || _plain.Length > KeptScratch)
            (_scratch, _plain) = ([], []);

        _validUtf8 = Utf8.IsValid(span);
        _signs = _validUtf8 ? Signs.None : Signs.UnreadableText;
        if (guard && CardNumbers.Contains(span))
            _signs |= Signs.CardData;

        var reader = new JsonScanner(span, _nesting);
        try
        {
            ReadDocument(ref reader);
        }
        catch (JsonException)
        {
            errors.Replace(Constraints.Json, "one JSON object", null, span.IndexOfAnyExcept(" \t\r\n"u8) < 0
                ? "The event is empty."
                : $"The event is not well-formed JSON: see byte {reader.BytesConsumed}.");
            _signs |= Signs.Broken;
        }

        return _signs;
    }

    private void ReadDocument(ref JsonScanner reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            var root = reader.TokenType;
            if (SkipValue(ref reader) && !reader.Read())
                errors.Replace(Constraints.Object, "one JSON object", null, $"The event must be a JSON object, but is {(root == JsonTokenType.StartArray ? "an array" : "a single value")}.");
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!ReadProperty(ref reader))
                return;
        }

        // Throws when something follows the object.
        reader.Read();
        ReportMissing();
    }

    /// <returns>False when the nesting is too deep to go on.</returns>
    private bool ReadProperty(ref JsonScanner reader)
    {
        var name = reader.ValueIsEscaped ? PlainName(ref reader) : reader.ValueSpan;
        var field = FieldSchema.Match(name);
        if (field == Field.Unknown)
        {
            var secret = _guard && SecretFields.IsSecret(name);
            reader.Read();
            if (secret)
                NoteSecret(reader.TokenType);
            return SkipValue(ref reader);
        }

        var bit = 1u << (int)field;
        var alias = name.Length is 9 || (name.Length is 6 && field == Field.PaymentStatus);
        var spelling = alias ? FieldSchema.Spelling(field, name.Length) : FieldSchema.Name(field);
        reader.Read();
        if ((_seen & bit) != 0)
        {
            ReportDuplicate(field, bit, spelling);
            return SkipValue(ref reader);
        }

        _seen |= bit;
        if (alias)
            _aliased |= bit;

        return field switch
        {
            Field.Amount => ReadAmount(ref reader),
            Field.Metadata => ReadContainer(ref reader, field, JsonTokenType.StartObject, "an object or null"),
            Field.ComplianceViolations => ReadContainer(ref reader, field, JsonTokenType.StartArray, "an array or null"),
            _ => ReadText(ref reader, field, spelling),
        };
    }

    private bool ReadText(ref JsonScanner reader, Field field, string spelling)
    {
        var required = (1u << (int)field & FieldSchema.Required) != 0;
        if (reader.TokenType != JsonTokenType.String)
        {
            if (reader.TokenType != JsonTokenType.Null)
                errors.WrongType(spelling, required ? "a string" : "a string or null", reader.TokenType);
            else if (required)
                errors.Missing(spelling, "null");
            return SkipValue(ref reader);
        }

        if (reader.ValueSpan.IsEmpty && required)
            errors.Missing(spelling, "empty");
        else if (TryCapture(ref reader, out var text))
            _rules.Take(field, spelling, text);
        return true;
    }

    private bool ReadAmount(ref JsonScanner reader)
    {
        var text = reader.ValueSpan;
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                NoteNumber(text);
                break;
            case JsonTokenType.String when text.IsEmpty:
                errors.Missing("amount", "empty");
                return true;
            case JsonTokenType.String when !reader.ValueIsEscaped && _validUtf8:
                break;
            case JsonTokenType.String:
                if (!TryCapture(ref reader, out var captured))
                    return true;
                text = captured.Span;
                break;
            case JsonTokenType.Null:
                errors.Missing("amount", "null");
                return true;
            default:
                errors.WrongType("amount", FieldRules.ExpectedAmount, reader.TokenType);
                return SkipValue(ref reader);
        }

        _rules.TakeAmount(text);
        return true;
    }

    private bool ReadContainer(ref JsonScanner reader, Field field, JsonTokenType start, string expected)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return true;

        var at = reader.TokenStartIndex;
        var found = reader.TokenType;
        if (found != start)
            errors.WrongType(FieldSchema.Name(field), expected, found);
        var unreadable = _signs & Signs.UnreadableText;
        _signs &= ~Signs.UnreadableText;
        var complete = SkipValue(ref reader);
        var text = _body[at..reader.BytesConsumed];
        if (complete && found == start && (_signs & Signs.UnreadableText) == 0 && (_validUtf8 || Utf8.IsValid(text.Span)))
            transaction.Set(field, new Utf8Text(text));
        _signs |= unreadable;
        return complete;
    }

    /// <summary>Walks to the end of the value at which the reader stands, with an eye on card data, unreadable text and depth.</summary>
    private bool SkipValue(ref JsonScanner reader)
    {
        var depth = reader.CurrentDepth;
        do
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    var name = reader.ValueIsEscaped ? PlainName(ref reader) : reader.ValueSpan;
                    if (_guard && SecretFields.IsSecret(name))
                    {
                        reader.Read();
                        NoteSecret(reader.TokenType);
                        continue;
                    }

                    break;
                case JsonTokenType.String:
                    if (reader.ValueIsEscaped)
                        CheckEscapes(reader.ValueSpan);
                    break;
                case JsonTokenType.Number:
                    NoteNumber(reader.ValueSpan);
                    break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    if (reader.CurrentDepth >= options.MaxDepth)
                        return TooDeep();
                    break;
            }

            if (reader.CurrentDepth == depth && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
                return true;
            reader.Read();
        }
        while (true);
    }

    private bool TooDeep()
    {
        errors.Replace(Constraints.Depth, $"at most {options.MaxDepth} levels", null, $"The event is nested deeper than {options.MaxDepth} levels.");
        _signs |= Signs.Broken;
        return false;
    }

    private bool TryCapture(ref JsonScanner reader, out Utf8Text text)
    {
        text = default;
        var raw = reader.ValueSpan;
        if (!_validUtf8 && !Utf8.IsValid(raw))
            return false;
        if (!reader.ValueIsEscaped)
        {
            text = new Utf8Text(_body.Slice(reader.TokenStartIndex + 1, raw.Length));
            return true;
        }

        if (!CheckEscapes(raw))
            return false;

        // All texts together are shorter than the event, so the buffer never moves under the texts that point into it.
        if (_scratch.Length < _body.Length)
            _scratch = new byte[Math.Max(_body.Length, 1024)];
        var written = reader.CopyString(_scratch.AsSpan(_scratchUsed));
        text = new Utf8Text(_scratch.AsMemory(_scratchUsed, written));
        _scratchUsed += written;
        return true;
    }

    /// <returns>False for text that can't be stored.</returns>
    private bool CheckEscapes(ReadOnlySpan<byte> raw)
    {
        if (_guard && raw.Length >= CardBrands.MinDigits && CardNumbers.Contains(Plain(raw)))
            _signs |= Signs.CardData;
        if (JsonEscapes.Check(raw) == EscapeDefects.None)
            return true;
        _signs |= Signs.UnreadableText;
        return false;
    }

    private ReadOnlySpan<byte> PlainName(ref JsonScanner reader)
    {
        CheckEscapes(reader.ValueSpan);
        return Plain(reader.ValueSpan);
    }

    private ReadOnlySpan<byte> Plain(ReadOnlySpan<byte> raw)
    {
        if (_plain.Length < raw.Length)
            _plain = new byte[Math.Max(raw.Length, 1024)];
        return _plain.AsSpan(0, JsonEscapes.Decode(raw, _plain, []));
    }

    private void NoteNumber(ReadOnlySpan<byte> token)
    {
        if (_guard && token.Length >= CardBrands.MinDigits && NumberTokens.IsScaledCardNumber(token))
            _signs |= Signs.CardData;
    }

    private void NoteSecret(JsonTokenType value)
    {
        if (value is not (JsonTokenType.Null or JsonTokenType.True or JsonTokenType.False))
            _signs |= Signs.CardData;
    }

    private void ReportDuplicate(Field field, uint bit, string spelling)
    {
        if ((_repeated & bit) != 0)
            return;
        _repeated |= bit;
        var first = (_aliased & bit) == 0 ? FieldSchema.Name(field) : FieldSchema.Spelling(field, field == Field.TransactionTimestamp ? 9 : 6);
        errors.Duplicate(spelling, first);
    }

    private void ReportMissing()
    {
        for (var missing = FieldSchema.Required & ~_seen; missing != 0; missing &= missing - 1)
            errors.Missing(FieldSchema.Name((Field)uint.TrailingZeroCount(missing)), null);
    }
}

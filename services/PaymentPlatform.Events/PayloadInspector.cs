using System.Text.Json;
using System.Text.Unicode;

namespace PaymentPlatform.Events;

/// <summary>
/// The second look, only at events in which the parser's pass saw something: names each field with card data or unreadable text, and says how to mask it.
/// The document is known to be well-formed and not too deep.
/// </summary>
internal sealed class PayloadInspector(int maxDepth)
{
    /// <summary>A hostile event must not make an answer of a million errors.</summary>
    public const int MaxFindings = 32;

    private readonly JsonPath _path = new(maxDepth);

    public List<Finding> CardData { get; } = [];

    public List<Finding> Encoding { get; } = [];

    /// <summary>What masks all card data, in order.</summary>
    public List<PayloadEdit> Edits { get; } = [];

    public void Inspect(ReadOnlySpan<byte> document)
    {
        CardData.Clear();
        Encoding.Clear();
        Edits.Clear();

        var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = maxDepth + 1 });
        var (secret, identifier) = (false, false);
        while (reader.Read())
        {
            var depth = reader.CurrentDepth;
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    _path.Name(depth, (int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
                    CheckText(ref reader, document, exempt: false);
                    var name = TextMasker.Plain(reader.ValueSpan);
                    secret = SecretFields.IsSecret(name);
                    identifier = depth == 1 && name.AsSpan().EndsWith("_id"u8);
                    continue;

                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    _path.Value(depth);
                    if (secret)
                        RemoveContainer(ref reader, document, depth);
                    else
                        _path.Enter(depth + 1, reader.TokenType == JsonTokenType.StartArray);
                    break;

                case JsonTokenType.String:
                    _path.Value(depth);
                    if (!secret)
                        CheckText(ref reader, document, identifier);
                    else if (!reader.ValueSpan.IsEmpty)
                        Remove(document, depth, (int)reader.TokenStartIndex, (int)reader.BytesConsumed);
                    break;

                case JsonTokenType.Number:
                    _path.Value(depth);
                    if (secret)
                        Remove(document, depth, (int)reader.TokenStartIndex, (int)reader.BytesConsumed);
                    else if (!identifier && NumberTokens.HoldsCardNumber(reader.ValueSpan))
                        MaskNumber(ref reader, document);
                    break;

                case JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null:
                    _path.Value(depth);
                    break;
            }

            (secret, identifier) = (false, false);
        }
    }

    private void CheckText(ref Utf8JsonReader reader, ReadOnlySpan<byte> document, bool exempt)
    {
        var raw = reader.ValueSpan;
        var defects = reader.ValueIsEscaped ? JsonEscapes.Check(raw) : EscapeDefects.None;
        if (!Utf8.IsValid(raw))
            Add(Encoding, FindingKind.InvalidUtf8, document, reader.CurrentDepth);
        else if (defects.HasFlag(EscapeDefects.LoneSurrogate))
            Add(Encoding, FindingKind.LoneSurrogate, document, reader.CurrentDepth);
        else if (defects.HasFlag(EscapeDefects.Nul))
            Add(Encoding, FindingKind.Nul, document, reader.CurrentDepth);

        if (exempt || raw.Length < CardBrands.MinDigits || TextMasker.MaskString(raw) is not { } masked)
            return;

        Add(CardData, FindingKind.CardNumber, document, reader.CurrentDepth);
        var start = (int)reader.TokenStartIndex + 1;
        Edits.Add(new PayloadEdit(start, start + raw.Length, masked));
    }

    private void MaskNumber(ref Utf8JsonReader reader, ReadOnlySpan<byte> document)
    {
        Add(CardData, FindingKind.CardNumber, document, reader.CurrentDepth);
        Edits.Add(new PayloadEdit((int)reader.TokenStartIndex, (int)reader.BytesConsumed, [(byte)'"', .. NumberTokens.Mask(reader.ValueSpan), (byte)'"']));
    }

    private void RemoveContainer(ref Utf8JsonReader reader, ReadOnlySpan<byte> document, int depth)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Read();
        var empty = reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray;
        while (reader.CurrentDepth > depth)
            reader.Read();
        if (!empty)
            Remove(document, depth, start, (int)reader.BytesConsumed);
    }

    private void Remove(ReadOnlySpan<byte> document, int depth, int start, int end)
    {
        Add(CardData, FindingKind.Secret, document, depth);
        Edits.Add(new PayloadEdit(start, end, "null"u8.ToArray()));
    }

    /// <summary>One finding a field: a card number in a name and in its value is one.</summary>
    private void Add(List<Finding> findings, FindingKind kind, ReadOnlySpan<byte> document, int depth)
    {
        if (findings.Count == MaxFindings)
            return;
        var path = _path.ToString(depth, document);
        if (findings.Count == 0 || findings[^1].Path != path)
            findings.Add(new Finding(path, kind));
    }
}

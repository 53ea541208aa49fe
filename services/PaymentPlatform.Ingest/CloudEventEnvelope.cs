using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;
using PaymentPlatform.Events;

namespace PaymentPlatform.Ingest;

/// <summary>The parts of a CloudEvent (JSON format, version 1.0) that are used here. They lie in the event's bytes or in the arena.</summary>
internal struct CloudEventEnvelope
{
    private const int MaxIdBytes = 512;
    private const int MaxSourceBytes = 2048;

    public ReadOnlyMemory<byte> Id { get; private set; }

    public ReadOnlyMemory<byte> Source { get; private set; }

    /// <summary>The transaction: the exact bytes of <c>data</c>, or what <c>data_base64</c> decodes to.</summary>
    public ReadOnlyMemory<byte> Data { get; private set; }

    /// <param name="element">Well-formed JSON.</param>
    /// <param name="errors">Gets what is wrong with it.</param>
    public static CloudEventEnvelope Read(ReadOnlyMemory<byte> element, ByteArena arena, List<ValidationError> errors)
    {
        var envelope = default(CloudEventEnvelope);
        var reader = new Utf8JsonReader(element.Span, new JsonReaderOptions { MaxDepth = int.MaxValue });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            errors.Add(new("", Constraints.Object, "a CloudEvent as a JSON object", reader.TokenType.ToString(), "The CloudEvent is not a JSON object."));
            return envelope;
        }

        var seen = Attributes.None;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var attribute = Known(ref reader);
            reader.Read();
            if (attribute == Attributes.None || reader.TokenType == JsonTokenType.Null)
            {
                reader.Skip();
                continue;
            }

            if ((seen & attribute) != 0)
            {
                errors.Add(new(Name(attribute), Constraints.Duplicate, "the attribute once", null, $"The attribute {Name(attribute)} is given twice."));
                reader.Skip();
                continue;
            }

            seen |= attribute;
            if (attribute == Attributes.Data)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                envelope.Data = element[start..(int)reader.BytesConsumed];
                continue;
            }

            var text = Text(ref reader, element, arena, attribute, errors);
            reader.Skip();
            switch (attribute)
            {
                case Attributes.Id:
                    envelope.Id = text;
                    break;
                case Attributes.Source:
                    envelope.Source = text;
                    break;
                case Attributes.SpecVersion when !text.IsEmpty && !text.Span.SequenceEqual("1.0"u8):
                    errors.Add(new("specversion", Constraints.Type, "1.0", null, "The CloudEvent's specversion is not 1.0."));
                    break;
                case Attributes.DataBase64 when !text.IsEmpty:
                    envelope.Data = Decode(text.Span, arena, errors);
                    break;
            }
        }

        Require(seen, Attributes.SpecVersion, errors);
        Require(seen, Attributes.Id, errors);
        Require(seen, Attributes.Source, errors);
        Require(seen, Attributes.Type, errors);
        if ((seen & (Attributes.Data | Attributes.DataBase64)) == 0)
            errors.Add(new("data", Constraints.Required, "the transaction in data or data_base64", null, "The CloudEvent has no data."));
        if ((seen & (Attributes.Data | Attributes.DataBase64)) == (Attributes.Data | Attributes.DataBase64))
            errors.Add(new("data_base64", Constraints.Duplicate, "either data or data_base64", null, "The CloudEvent has both data and data_base64."));
        return envelope;
    }

    /// <summary>No known name has a surrogate, and half a pair would make the comparison throw.</summary>
    private static Attributes Known(ref Utf8JsonReader reader) =>
        reader.ValueIsEscaped && (reader.ValueSpan.IndexOf("\\ud"u8) >= 0 || reader.ValueSpan.IndexOf("\\uD"u8) >= 0) ? Attributes.None
        : reader.ValueTextEquals("data"u8) ? Attributes.Data
        : reader.ValueTextEquals("id"u8) ? Attributes.Id
        : reader.ValueTextEquals("source"u8) ? Attributes.Source
        : reader.ValueTextEquals("specversion"u8) ? Attributes.SpecVersion
        : reader.ValueTextEquals("type"u8) ? Attributes.Type
        : reader.ValueTextEquals("data_base64"u8) ? Attributes.DataBase64
        : Attributes.None;

    private static string Name(Attributes attribute) => attribute switch
    {
        Attributes.DataBase64 => "data_base64",
        Attributes.SpecVersion => "specversion",
        Attributes.Id => "id",
        Attributes.Source => "source",
        Attributes.Type => "type",
        _ => "data",
    };

    private static void Require(Attributes seen, Attributes attribute, List<ValidationError> errors)
    {
        if ((seen & attribute) == 0)
            errors.Add(new(Name(attribute), Constraints.Required, "a non-empty string", null, $"The CloudEvent's {Name(attribute)} is missing."));
    }

    /// <summary>A non-empty string without control characters, or nothing and an error.</summary>
    private static ReadOnlyMemory<byte> Text(
        ref Utf8JsonReader reader, ReadOnlyMemory<byte> element, ByteArena arena, Attributes attribute, List<ValidationError> errors)
    {
        var name = Name(attribute);
        if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.IsEmpty)
        {
            errors.Add(new(name, Constraints.Type, "a non-empty string", null, $"The CloudEvent's {name} is not a non-empty string."));
            return default;
        }

        ReadOnlyMemory<byte> text;
        if (reader.ValueIsEscaped)
        {
            var memory = arena.Allocate(reader.ValueSpan.Length);
            try
            {
                text = memory[..reader.CopyString(memory.Span)];
            }
            catch (InvalidOperationException)
            {
                // Half a surrogate pair, or bytes that are not UTF-8.
                text = default;
            }
        }
        else
        {
            text = element.Slice((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
            if (!Utf8.IsValid(text.Span))
                text = default;
        }

        if (text.IsEmpty)
        {
            errors.Add(new(name, Constraints.Encoding, "UTF-8 text", null, $"The CloudEvent's {name} is not valid text."));
            return default;
        }

        if (attribute is Attributes.Id or Attributes.Source)
        {
            var max = attribute == Attributes.Id ? MaxIdBytes : MaxSourceBytes;
            if (text.Length > max)
                errors.Add(new(name, Constraints.Size, $"at most {max} bytes", $"{text.Length} bytes", $"The CloudEvent's {name} is too long."));
            if (text.Span.IndexOfAnyInRange((byte)0, (byte)0x1F) >= 0)
                errors.Add(new(name, Constraints.Type, "text without control characters", null, $"The CloudEvent's {name} holds a control character."));
        }

        return text;
    }

    private static ReadOnlyMemory<byte> Decode(ReadOnlySpan<byte> base64, ByteArena arena, List<ValidationError> errors)
    {
        var memory = arena.Allocate(Base64.GetMaxDecodedFromUtf8Length(base64.Length));
        if (Base64.DecodeFromUtf8(base64, memory.Span, out _, out var written) == OperationStatus.Done)
            return memory[..written];
        errors.Add(new("data_base64", Constraints.Encoding, "base64", null, "The CloudEvent's data_base64 is not base64."));
        return default;
    }

    [Flags]
    private enum Attributes
    {
        None = 0,
        Id = 1,
        Source = 2,
        SpecVersion = 4,
        Type = 8,
        Data = 16,
        DataBase64 = 32,
    }
}

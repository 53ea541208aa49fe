using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace PaymentPlatform.Query;

/// <summary>Writes events as JSON objects, each on one line.</summary>
public static class EventJson
{
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 1000 };

    private static readonly JsonEncodedText[] Names = [.. EventColumn.All.Select(c => JsonEncodedText.Encode(c.PublicName))];
    private static readonly SearchValues<char> LineEnds = SearchValues.Create('\r', '\n');

    public static void Write(Utf8JsonWriter writer, EventRow row)
    {
        writer.WriteStartObject();
        for (var i = 0; i < Names.Length; i++)
        {
            if (row.IsNull(i))
            {
                writer.WriteNull(Names[i]);
                continue;
            }

            switch (EventColumn.All[i].Kind)
            {
                case EventColumnKind.Timestamp:
                    WriteTimestamp(writer, Names[i], row.Integer(i));
                    break;
                case EventColumnKind.Amount:
                    writer.WritePropertyName(Names[i]);
                    writer.WriteRawValue(ExactNumbers.Format(row.Amount(i)), skipInputValidation: true);
                    break;
                case EventColumnKind.Integer:
                    writer.WriteNumber(Names[i], row.Integer(i));
                    break;
                case EventColumnKind.Boolean:
                    writer.WriteBoolean(Names[i], row.Boolean(i));
                    break;
                case EventColumnKind.Json:
                    writer.WritePropertyName(Names[i]);
                    WriteJson(writer, row.Text(i));
                    break;
                case EventColumnKind.Payload:
                    WritePayload(writer, row.Payload(i));
                    break;
                default:
                    writer.WriteString(Names[i], row.Text(i));
                    break;
            }
        }

        writer.WriteEndObject();
    }

    /// <summary><c>raw_payload</c>, or <c>raw_payload_base64</c> where the bytes are not UTF-8.</summary>
    public static void WritePayload(Utf8JsonWriter writer, ReadOnlySpan<byte> payload)
    {
        if (Utf8.IsValid(payload))
            writer.WriteString("raw_payload"u8, payload);
        else
            writer.WriteBase64String("raw_payload_base64"u8, payload);
    }

    /// <summary>The text as it was sent. Line ends can only be between its tokens: as spaces they keep the event on its line.</summary>
    public static void WriteJson(Utf8JsonWriter writer, string json)
    {
        if (json.AsSpan().ContainsAny(LineEnds))
            json = json.Replace('\n', ' ').Replace('\r', ' ');
        if (IsJson(json))
            writer.WriteRawValue(json, skipInputValidation: true);
        else
            writer.WriteStringValue(json);
    }

    private static bool IsJson(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { MaxDepth = WriterOptions.MaxDepth - 8 });
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void WriteTimestamp(Utf8JsonWriter writer, JsonEncodedText name, long micros)
    {
        Span<byte> text = stackalloc byte[Timestamps.Length];
        Timestamps.Write(micros, text);
        writer.WriteString(name, text);
    }

    public static string Format(DateTime time) => time.ToString(Timestamps.Format, CultureInfo.InvariantCulture);
}

using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using PaymentPlatform.Events;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>The column errors: an array of objects with the contract's names.</summary>
internal sealed class ErrorsText
{
    private static readonly JsonEncodedText s_field = JsonEncodedText.Encode("field");
    private static readonly JsonEncodedText s_constraint = JsonEncodedText.Encode("constraint");
    private static readonly JsonEncodedText s_expected = JsonEncodedText.Encode("expected");
    private static readonly JsonEncodedText s_actual = JsonEncodedText.Encode("actual");
    private static readonly JsonEncodedText s_message = JsonEncodedText.Encode("message");

    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly Utf8JsonWriter _json;

    public ErrorsText() => _json = new(_bytes, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <returns>UTF-8 JSON: valid until the next call.</returns>
    public ReadOnlySpan<byte> Write(IReadOnlyList<ValidationError> errors)
    {
        _bytes.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartArray();
        for (var i = 0; i < errors.Count; i++)
        {
            var error = errors[i];
            _json.WriteStartObject();
            _json.WriteString(s_field, error.Field);
            _json.WriteString(s_constraint, error.Constraint);
            _json.WriteString(s_expected, error.Expected);
            _json.WriteString(s_actual, error.Actual);
            _json.WriteString(s_message, error.Message);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.Flush();
        return _bytes.WrittenSpan;
    }
}

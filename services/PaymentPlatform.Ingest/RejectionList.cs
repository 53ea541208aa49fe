using System.Buffers;
using System.Text.Json;
using PaymentPlatform.Events;

namespace PaymentPlatform.Ingest;

/// <summary>The rejections of a chunk, each as the JSON text that the answer lists.</summary>
internal sealed class RejectionList
{
    /// <summary>Errors listed for one event, names and ids shortened to this many characters: an answer stays in proportion to its request.</summary>
    private const int MaxErrors = 50;
    private const int MaxTextLength = 256;
    private const int MaxMessageLength = 512;

    private const int KeptTextBytes = 1 << 20;

    private readonly List<string> _constraints = [];
    private ArrayBufferWriter<byte> _text = new();
    private readonly List<(int Order, int Start, int Length)> _items = [];
    private Utf8JsonWriter? _json;

    /// <summary>All of them, listed or not.</summary>
    public int Count => _constraints.Count;

    /// <summary>The constraint of each one's first error.</summary>
    public IReadOnlyList<string> Constraints => _constraints;

    /// <param name="order">The event's place in its chunk.</param>
    /// <param name="index">The event's index in its request.</param>
    /// <param name="listed">False when the answer is known to have no room for it.</param>
    public void Add(int order, long index, string? transactionId, IReadOnlyList<ValidationError> errors, bool listed)
    {
        _constraints.Add(errors[0].Constraint);
        if (!listed || _text.WrittenCount >= IngestRun.MaxListedBytes)
            return;
        var start = _text.WrittenCount;
        _json ??= new(_text);
        _json.Reset(_text);
        _json.WriteStartObject();
        _json.WriteNumber("index"u8, index);
        _json.WriteString("transaction_id"u8, Shortened(transactionId));
        _json.WriteStartArray("errors"u8);
        for (var i = 0; i < Math.Min(errors.Count, MaxErrors); i++)
        {
            _json.WriteStartObject();
            _json.WriteString("field"u8, Shortened(errors[i].Field));
            _json.WriteString("constraint"u8, errors[i].Constraint);
            _json.WriteString("expected"u8, errors[i].Expected);
            _json.WriteString("actual"u8, Shortened(errors[i].Actual));
            _json.WriteString("message"u8, Shortened(errors[i].Message, MaxMessageLength));
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.Flush();
        _items.Add((order, start, _text.WrittenCount - start));
    }

    /// <summary>Writes the first <paramref name="max"/> by index, separated by commas, until <paramref name="maxBytes"/> of text are reached.</summary>
    /// <returns>How many were written.</returns>
    public int WriteTo(IBufferWriter<byte> output, int max, int maxBytes, bool separatorFirst)
    {
        _items.Sort(static (a, b) => a.Order.CompareTo(b.Order));
        var count = 0;
        for (var bytes = 0; count < Math.Min(max, _items.Count) && bytes < maxBytes; count++)
        {
            if (count > 0 || separatorFirst)
                output.Write(","u8);
            bytes += _items[count].Length;
            output.Write(_text.WrittenSpan.Slice(_items[count].Start, _items[count].Length));
        }

        return count;
    }

    public void Clear()
    {
        _constraints.Clear();
        _items.Clear();
        if (_text.Capacity > KeptTextBytes)
            _text = new();
        else
            _text.ResetWrittenCount();
    }

    private static string? Shortened(string? text, int max = MaxTextLength) => text?.Length > max ? string.Concat(text.AsSpan(0, max), "…") : text;
}

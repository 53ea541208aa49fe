using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Writes what a hit is about as JSON.</summary>
internal sealed class HitData
{
    private readonly ArrayBufferWriter<byte> _buffer = new(256);
    private readonly Utf8JsonWriter _json;

    public HitData(EventView view)
    {
        _json = new(_buffer);
        View = view;
    }

    private EventView View { get; }

    /// <summary>Who paid how much.</summary>
    public string OfEvent()
    {
        Begin();
        var transaction = View.Transaction;
        if (transaction.CustomerId.HasValue)
            _json.WriteString("customer_id"u8, transaction.CustomerId.Span);
        if (transaction.MerchantId.HasValue)
            _json.WriteString("merchant_id"u8, transaction.MerchantId.Span);
        _json.WriteString("currency"u8, transaction.Currency.Span);
        _json.WriteNumber("amount"u8, (decimal)View.Amount / 10_000);
        return End();
    }

    /// <summary>The key and the span in which the threshold was reached.</summary>
    public string OfWindow(EventField[] key, long from, long to, long withinMicros)
    {
        Begin();
        WriteKey(key);
        WriteTime("from", from);
        WriteTime("to", to);
        _json.WriteString("within"u8, Durations.Show(withinMicros));
        return End();
    }

    /// <summary>The key and the other event's time.</summary>
    public string OfEarlier(EventField[] key, long? earlierMicros, EventField? differs, long withinMicros)
    {
        Begin();
        WriteKey(key);
        if (earlierMicros is { } micros)
            WriteTime("earlier", micros);
        if (differs is not null && View.TryValue(differs, out var value, out _))
            _json.WriteString(differs.Path.Name, value);
        _json.WriteString("within"u8, Durations.Show(withinMicros));
        return End();
    }

    private void Begin()
    {
        _buffer.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
    }

    private string End()
    {
        _json.WriteEndObject();
        _json.Flush();
        return Encoding.UTF8.GetString(_buffer.WrittenSpan);
    }

    private void WriteKey(EventField[] key)
    {
        foreach (var field in key)
        {
            if (View.TryValue(field, out var value, out _))
                _json.WriteString(field.Path.Name, value);
        }
    }

    private void WriteTime(string name, long micros) =>
        _json.WriteString(name, DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
}

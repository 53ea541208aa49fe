using System.Buffers;
using System.Globalization;

namespace PaymentPlatform.Simulator;

/// <summary>Writes an event as JSON, with its violation.</summary>
internal sealed class EventWriter(TransactionPools pools, TrafficProfile profile)
{
    // Names out of the settings are escaped and of at most 64 characters.
    private const int MaxEventBytes = 8_192;
    private const long Year = 365L * 86_400_000_000;
    private const int IdLength = 36;
    private const int CustomerIdLength = 13;

    private static readonly byte[][] UnknownCurrencies = ["XXQ"u8.ToArray(), "ZZZ"u8.ToArray(), "U$D"u8.ToArray(), "EURO"u8.ToArray()];

    private static readonly byte[][] UnknownStatuses = ["unheard_of"u8.ToArray(), "maybe"u8.ToArray(), "lost"u8.ToArray(), "in_limbo"u8.ToArray()];

    private static readonly byte[][] Marks = [.. Enum.GetValues<ViolationPattern>().Select(Mark)];

    private readonly MetadataWriter _metadata = new(pools);
    private readonly byte[] _second = new byte[19];
    private long _secondOf = long.MinValue;

    public TrafficProfile Profile { get; set; } = profile;

    public GeneratedEvent Write(IBufferWriter<byte> output, in Payment payment, ViolationPattern pattern, long group, long micros)
    {
        var writer = new JsonPieces(output.GetSpan(MaxEventBytes));
        writer.Append("{"u8);
        Range id = default;
        if (pattern != ViolationPattern.MissingTransactionId)
        {
            writer.Append("\"transaction_id\": \""u8);
            id = new(writer.Length, writer.Length + IdLength);
            writer.AppendUuid(payment.High, payment.Low);
            writer.Append("\", "u8);
        }

        writer.Append("\"transaction_timestamp\": \""u8);
        // Decades ahead: in the future also where the events' own time is long past.
        AppendTime(ref writer, pattern == ViolationPattern.FutureTimestamp ? micros + (20 + (int)(payment.Low % 30)) * Year : micros);
        writer.Append("\", \"ingestion_timestamp\": null, \"processing_timestamp\": null, \"amount\": "u8);
        AppendAmount(ref writer, payment, pattern);
        writer.Append(", \"currency\": \""u8);
        writer.Append(pattern == ViolationPattern.InvalidCurrency ? UnknownCurrencies[payment.Low >> 62] : payment.Currency.Code);
        writer.Append("\", \"payment_method\": \""u8);
        writer.Append(payment.Method);
        writer.Append("\", \"payment_status\": \""u8);
        writer.Append(pattern == ViolationPattern.InvalidStatus ? UnknownStatuses[payment.Low >> 62] : payment.Status);
        var key = AppendCustomer(ref writer, payment, pattern, id);
        writer.Append(pools.Merchants[payment.Merchant]);
        writer.Append(Profile.Categories[TransactionPools.EvenlySpread(payment.Merchant)]);
        writer.Append("\", \"transaction_type\": \""u8);
        writer.Append(payment.Type);
        _metadata.Write(ref writer, payment, pattern, Profile);
        writer.Append(Marks[Profile.Mark ? (int)pattern : 0]);

        var length = pattern == ViolationPattern.TruncatedJson ? writer.Length / 2 : writer.Length;
        output.Advance(length);
        return new(length, id, key, pattern, group);
    }

    private Range AppendCustomer(ref JsonPieces writer, in Payment payment, ViolationPattern pattern, Range id)
    {
        var key = id;
        if (pattern == ViolationPattern.MissingCustomerId)
        {
            writer.Append("\", \"customer_id\": null"u8);
        }
        else
        {
            writer.Append("\", \"customer_id\": \""u8);
            key = new(writer.Length, writer.Length + CustomerIdLength);
            writer.Append("CUST-"u8);
            writer.AppendHex(pools.CustomerId(payment.Customer));
            writer.Append("\""u8);
        }

        var person = (payment.Customer < 0 ? ~payment.Customer : payment.Customer) % pools.Customers.Length;
        writer.Append(", \"customer_email\": \""u8);
        AppendEmail(ref writer, pools.Customers[person], pattern == ViolationPattern.InvalidEmail ? 1 + (int)(payment.Low % 5) : 0);
        if (pattern == ViolationPattern.MissingCountry)
        {
            writer.Append("\", \"customer_country\": null"u8);
            return key;
        }

        writer.Append("\", \"customer_country\": \""u8);
        writer.Append(Profile.Countries[TransactionPools.EvenlySpread(person)]);
        writer.Append("\""u8);
        return key;
    }

    private static void AppendEmail(ref JsonPieces writer, ReadOnlySpan<byte> email, int flaw)
    {
        var at = email.IndexOf((byte)'@');
        writer.Append(flaw == 1 ? [] : email[..at]);
        writer.Append(flaw switch { 2 => ""u8, 3 => "@@"u8, 4 => " at "u8, _ => "@"u8 });
        writer.Append(flaw == 5 ? [] : email[(at + 1)..]);
    }

    private static void AppendAmount(ref JsonPieces writer, in Payment payment, ViolationPattern pattern)
    {
        if (pattern == ViolationPattern.ZeroAmount)
        {
            writer.Append("0"u8);
            return;
        }

        if (pattern == ViolationPattern.NegativeAmount)
            writer.Append("-"u8);
        writer.AppendNumber(payment.Milli / 1_000);
        var fraction = (int)(payment.Milli % 1_000);
        switch (payment.Currency.Digits)
        {
            case 2:
                writer.Append("."u8);
                writer.AppendDigits(fraction / 10, 2);
                break;
            case 3:
                writer.Append("."u8);
                writer.AppendDigits(fraction, 3);
                break;
        }
    }

    private void AppendTime(ref JsonPieces writer, long micros)
    {
        var second = micros / 1_000_000;
        if (second != _secondOf)
        {
            DateTime.UnixEpoch.AddSeconds(second).TryFormat(_second, out _, "yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
            _secondOf = second;
        }

        writer.Append(_second);
        writer.Append("."u8);
        writer.AppendDigits((int)(micros % 1_000_000), 6);
        writer.Append("Z"u8);
    }

    private static byte[] Mark(ViolationPattern pattern) => System.Text.Encoding.UTF8.GetBytes(pattern == ViolationPattern.None
        ? ", \"compliance_violations\": [], \"violation_severity\": null}"
        : $", \"compliance_violations\": [\"{ViolationPatterns.Name(pattern)}\"], \"violation_severity\": \"{ViolationPatterns.Severity(pattern)}\"}}");
}

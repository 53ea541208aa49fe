using System.Buffers;
using System.Globalization;

namespace PaymentPlatform.Simulator;

/// <summary>
/// Makes payment events as one line of JSON each, about 1 kB (900 to 1,100 bytes), straight into UTF-8: no string, no allocation per event.
/// A payment sometimes sends several events: pending, then how it ended; completed, then refunded. The same seed and moments give the same bytes. Not thread-safe.
/// </summary>
public sealed class TransactionGenerator
{
    private const int MaxEventBytes = 2_048;
    private const int Remembered = 1_024;

    private static readonly WeightedChoice<byte[]> Currencies = new(
        (161, "USD"u8.ToArray()), (52, "EUR"u8.ToArray()), (18, "GBP"u8.ToArray()), (12, "JPY"u8.ToArray()), (8, "CAD"u8.ToArray()), (5, "AUD"u8.ToArray()));

    private static readonly WeightedChoice<byte[]> Methods = new(
        (120, "credit_card"u8.ToArray()), (56, "debit_card"u8.ToArray()), (28, "digital_wallet"u8.ToArray()), (23, "bank_transfer"u8.ToArray()),
        (18, "cryptocurrency"u8.ToArray()), (11, "cash_equivalent"u8.ToArray()));

    private static readonly byte[] Completed = "completed"u8.ToArray();
    private static readonly byte[] Pending = "pending"u8.ToArray();
    private static readonly byte[] Refunded = "refunded"u8.ToArray();
    private static readonly byte[] Declined = "declined"u8.ToArray();

    private static readonly WeightedChoice<byte[]> Statuses = new(
        (208, Completed), (22, Declined), (5, "error"u8.ToArray()), (5, "timeout"u8.ToArray()), (4, "failed"u8.ToArray()), (2, "cancelled"u8.ToArray()), (10, Pending));

    private static readonly WeightedChoice<byte[]> Channels = new((77, "web"u8.ToArray()), (66, "mobile"u8.ToArray()), (62, "pos"u8.ToArray()), (51, "api"u8.ToArray()));

    private static readonly WeightedChoice<byte[]> Devices = new((82, "tablet"u8.ToArray()), (74, "desktop"u8.ToArray()), (56, "mobile"u8.ToArray()), (44, "pos"u8.ToArray()));

    private static readonly WeightedChoice<byte[]> Brands = new((110, "Visa"u8.ToArray()), (80, "Mastercard"u8.ToArray()), (36, "Discover"u8.ToArray()), (30, "Amex"u8.ToArray()));

    private static readonly byte[][] Indicators =
    [
        "\"device_fingerprint_mismatch\""u8.ToArray(), "\"high_risk_country\""u8.ToArray(), "\"velocity_check_failed\""u8.ToArray(),
        "\"billing_address_mismatch\""u8.ToArray(), "\"suspicious_ip_location\""u8.ToArray(),
    ];

    private readonly TransactionPools _pools;
    private readonly double _invalidShare;
    private readonly int[] _cents = new int[4_096];
    private readonly Queue<Payment> _pending = new(Remembered);
    private readonly Queue<Payment> _refundable = new(Remembered);
    private readonly byte[] _second = new byte[19];
    private SeededRandom _random;
    private long _secondOf = long.MinValue;

    /// <param name="customers">Size of the pool: keys repeat.</param>
    /// <param name="merchants">Size of the pool.</param>
    /// <param name="invalidShare">Share of events that break a rule on purpose, from 0 to 1.</param>
    public TransactionGenerator(long seed, int customers = 20_000, int merchants = 2_000, double invalidShare = 0)
    {
        _random = new(seed);
        _invalidShare = invalidShare;
        _pools = new(ref _random, customers, merchants);
        for (var i = 0; i < _cents.Length; i++)
        {
            // Normal around 110 with a deviation of 50, and a tail of large ones.
            var normal = Math.Sqrt(-2 * Math.Log(1 - _random.Fraction())) * Math.Cos(2 * Math.PI * _random.Fraction());
            var amount = 11_000 + 5_000 * normal;
            _cents[i] = Math.Max(100, (int)(i % 128 == 0 ? Math.Abs(amount) * 60 : amount));
        }
    }

    /// <param name="nowMicros">The transaction's moment: microseconds since the Unix epoch.</param>
    public GeneratedEvent Write(IBufferWriter<byte> output, long nowMicros)
    {
        var writer = new JsonPieces(output.GetSpan(MaxEventBytes));
        var payment = NextPayment();
        var flaw = _invalidShare > 0 && _random.Fraction() < _invalidShare ? (Flaw)(1 + _random.Below(7)) : Flaw.None;
        WriteEvent(ref writer, payment, flaw, nowMicros);
        var length = flaw == Flaw.Truncated ? writer.Length / 2 : writer.Length;
        output.Advance(length);
        return new(length, flaw == Flaw.None, _pools.CustomerIds[payment.Customer]);
    }

    private Payment NextPayment()
    {
        var dice = _random.Next();
        // The queues fill up first: a follow-up comes some time after the event that it follows.
        if (_pending.Count >= Remembered)
            return Remember(_pending.Dequeue() with { Status = (dice & 15) == 0 ? Declined : Completed });
        if (_refundable.Count >= Remembered)
            return _refundable.Dequeue() with { Status = Refunded };
        return Remember(new(
            _random.Next(), _random.Next(), _cents[(dice >> 8) & 4_095] + (int)((dice >> 20) % 100), Currencies[dice >> 28], Methods[dice >> 36], Statuses[dice >> 44],
            _random.Below(_pools.Customers.Length), _random.Below(_pools.Merchants.Length)));
    }

    private Payment Remember(Payment payment)
    {
        if (payment.Status == Pending)
            _pending.Enqueue(payment);
        else if (payment.Status == Completed && payment.Low % 64 == 0)
            _refundable.Enqueue(payment);
        return payment;
    }

    private void WriteEvent(ref JsonPieces writer, in Payment payment, Flaw flaw, long nowMicros)
    {
        writer.Append("{"u8);
        if (flaw != Flaw.NoTransactionId)
        {
            writer.Append("\"transaction_id\": \""u8);
            writer.AppendUuid(payment.High, payment.Low);
            writer.Append("\", "u8);
        }

        writer.Append("\"transaction_timestamp\": \""u8);
        AppendTime(ref writer, flaw == Flaw.Future ? nowMicros + 3_600_000_000 : nowMicros);
        writer.Append("\", \"ingestion_timestamp\": null, \"processing_timestamp\": null, \"amount\": "u8);
        AppendAmount(ref writer, payment, flaw);
        writer.Append(", \"currency\": \""u8);
        writer.Append(flaw == Flaw.Currency ? "XXQ"u8 : payment.Currency);
        writer.Append("\", \"payment_method\": \""u8);
        writer.Append(payment.Method);
        writer.Append("\", \"payment_status\": \""u8);
        writer.Append(flaw == Flaw.Status ? "unheard_of"u8 : payment.Status);
        writer.Append("\""u8);
        writer.Append(_pools.Customers[payment.Customer]);
        writer.Append(_pools.Merchants[payment.Merchant]);
        writer.Append(payment.Status == Refunded ? ", \"transaction_type\": \"refund\", \"channel\": \""u8 : ", \"transaction_type\": \"payment\", \"channel\": \""u8);
        // The payment's own bits: its events agree on these.
        writer.Append(Channels[payment.High >> 8]);
        writer.Append("\", \"device_type\": \""u8);
        writer.Append(Devices[payment.High >> 16]);
        WriteMetadata(ref writer, payment);
        writer.Append(", \"compliance_violations\": [], \"violation_severity\": null}"u8);
    }

    private void WriteMetadata(ref JsonPieces writer, in Payment payment)
    {
        var bits = payment.Low;
        writer.Append("\", \"metadata\": {\"ip_address\": \""u8);
        writer.AppendNumber(1 + (int)(bits & 127));
        for (var shift = 8; shift <= 24; shift += 8)
        {
            writer.Append("."u8);
            writer.AppendNumber((byte)(bits >> shift));
        }

        writer.Append("\", \"user_agent\": \""u8);
        writer.Append(_pools.UserAgents[(byte)(bits >> 32)]);
        var isCard = payment.Method.AsSpan().EndsWith("_card"u8);
        if (isCard)
        {
            writer.Append("\", \"card_last4\": \""u8);
            writer.AppendDigits((int)((bits >> 8) % 10_000), 4);
            writer.Append("\", \"card_brand\": \""u8);
            writer.Append(Brands[bits >> 40]);
            writer.Append((bits & (1UL << 48)) == 0 ? "\", \"cvv_provided\": true, \"3ds_verified\": "u8 : "\", \"cvv_provided\": false, \"3ds_verified\": "u8);
            writer.Append((bits & (1UL << 49)) == 0 ? "true"u8 : "false"u8);
        }
        else
        {
            writer.Append("\", \"card_last4\": null, \"card_brand\": null, \"cvv_provided\": null, \"3ds_verified\": null"u8);
        }

        writer.Append(", \"risk_score\": 0."u8);
        writer.AppendDigits((int)((bits >> 12) % 1_000), 3);
        writer.Append(", \"fraud_indicators\": ["u8);
        var first = (int)((bits >> 50) % (ulong)Indicators.Length);
        for (var i = 0; i < (int)(bits >> 62); i++)
        {
            if (i > 0)
                writer.Append(", "u8);
            writer.Append(Indicators[(first + i) % Indicators.Length]);
        }

        writer.Append("]}"u8);
    }

    private static void AppendAmount(ref JsonPieces writer, in Payment payment, Flaw flaw)
    {
        if (flaw == Flaw.ZeroAmount)
        {
            writer.Append("0"u8);
            return;
        }

        if (flaw == Flaw.NegativeAmount)
            writer.Append("-"u8);
        if (payment.Currency.AsSpan().SequenceEqual("JPY"u8))
        {
            writer.AppendNumber(payment.Cents);
            return;
        }

        writer.AppendNumber(payment.Cents / 100);
        writer.Append("."u8);
        writer.AppendDigits(payment.Cents % 100, 2);
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

    private enum Flaw
    {
        None,
        NegativeAmount,
        ZeroAmount,
        Currency,
        Status,
        Future,
        NoTransactionId,
        Truncated,
    }

    private readonly record struct Payment(ulong High, ulong Low, int Cents, byte[] Currency, byte[] Method, byte[] Status, int Customer, int Merchant);
}

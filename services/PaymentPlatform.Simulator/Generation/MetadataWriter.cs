namespace PaymentPlatform.Simulator;

/// <summary>Writes channel, device and the metadata. They follow from the payment's own bits: its events agree on them.</summary>
internal sealed class MetadataWriter(TransactionPools pools)
{
    private static readonly WeightedChoice<byte[]> Channels = new((77, "web"u8.ToArray()), (66, "mobile"u8.ToArray()), (62, "pos"u8.ToArray()), (51, "api"u8.ToArray()));

    private static readonly WeightedChoice<byte[]> Devices = new((82, "tablet"u8.ToArray()), (74, "desktop"u8.ToArray()), (56, "mobile"u8.ToArray()), (44, "pos"u8.ToArray()));

    private static readonly WeightedChoice<byte[]> Brands = new((110, "Visa"u8.ToArray()), (80, "Mastercard"u8.ToArray()), (36, "Discover"u8.ToArray()), (30, "Amex"u8.ToArray()));

    private static readonly byte[][] UnknownBrands = ["PayCard"u8.ToArray(), "Unknown"u8.ToArray(), "Vissa"u8.ToArray(), "TestCard"u8.ToArray()];

    private const int LeastIndicators = 3;

    private static readonly byte[][] Indicators =
    [
        "\"device_fingerprint_mismatch\""u8.ToArray(), "\"high_risk_country\""u8.ToArray(), "\"velocity_check_failed\""u8.ToArray(),
        "\"billing_address_mismatch\""u8.ToArray(), "\"suspicious_ip_location\""u8.ToArray(),
    ];

    /// <summary>Where a full card number ends up.</summary>
    private enum Leak
    {
        None,
        LastFour,
        UserAgent,
        Note,
    }

    public void Write(ref JsonPieces writer, in Payment payment, ViolationPattern pattern, TrafficProfile profile)
    {
        var bits = payment.Low;
        var leak = pattern == ViolationPattern.FullCardNumber ? (Leak)(1 + payment.High % 3) : Leak.None;
        writer.Append("\", \"channel\": \""u8);
        writer.Append(Channels[payment.High >> 8]);
        writer.Append("\", \"device_type\": \""u8);
        writer.Append(Devices[payment.High >> 16]);
        writer.Append("\", \"metadata\": {\"ip_address\": \""u8);
        writer.AppendNumber(1 + (int)(bits & 127));
        for (var shift = 8; shift <= 24; shift += 8)
        {
            writer.Append("."u8);
            writer.AppendNumber((byte)(bits >> shift));
        }

        writer.Append("\", \"user_agent\": \""u8);
        writer.Append(pools.UserAgents[(byte)(bits >> 32)]);
        if (leak == Leak.UserAgent)
        {
            writer.Append(" pan="u8);
            writer.AppendCardNumber(payment.High);
        }

        WriteCard(ref writer, payment, pattern, leak);
        WriteRisk(ref writer, payment, pattern, profile);
        if (leak == Leak.Note)
        {
            writer.Append(", \"note\": \"paid with "u8);
            writer.AppendCardNumber(payment.High);
            writer.Append(" by phone\""u8);
        }

        writer.Append("}"u8);
    }

    private static void WriteCard(ref JsonPieces writer, in Payment payment, ViolationPattern pattern, Leak leak)
    {
        if (!payment.Method.AsSpan().EndsWith("_card"u8) || pattern == ViolationPattern.CardDataMissing)
        {
            writer.Append("\", \"card_last4\": null, \"card_brand\": null, \"cvv_provided\": null, \"3ds_verified\": null"u8);
            return;
        }

        var bits = payment.Low;
        writer.Append("\", \"card_last4\": \""u8);
        if (leak == Leak.LastFour)
            writer.AppendCardNumber(payment.High);
        else
            writer.AppendDigits((int)((bits >> 8) % 10_000), 4);
        writer.Append("\", \"card_brand\": \""u8);
        writer.Append(pattern == ViolationPattern.UnknownCardBrand ? UnknownBrands[bits >> 62] : Brands[bits >> 40]);
        writer.Append((bits & (1UL << 48)) == 0 ? "\", \"cvv_provided\": true, \"3ds_verified\": "u8 : "\", \"cvv_provided\": false, \"3ds_verified\": "u8);
        writer.Append((bits & (1UL << 49)) == 0 ? "true"u8 : "false"u8);
    }

    private static void WriteRisk(ref JsonPieces writer, in Payment payment, ViolationPattern pattern, TrafficProfile profile)
    {
        var bits = payment.Low;
        // A score of the limit itself is not over it.
        var score = (int)((bits >> 12) % (ulong)(profile.RiskLimit + 1));
        if (pattern == ViolationPattern.HighRiskScore)
            score = profile.RiskLimit + 1 + (int)((bits >> 12) % (ulong)(999 - profile.RiskLimit));
        writer.Append(", \"risk_score\": 0."u8);
        writer.AppendDigits(score, 3);
        writer.Append(", \"fraud_indicators\": ["u8);
        var first = (int)((bits >> 50) % (ulong)Indicators.Length);
        for (var i = 0; pattern == ViolationPattern.FraudIndicators && i < LeastIndicators + (int)((bits >> 61) % 3); i++)
        {
            if (i > 0)
                writer.Append(", "u8);
            writer.Append(Indicators[(first + i) % Indicators.Length]);
        }

        writer.Append("]"u8);
    }
}

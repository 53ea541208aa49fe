namespace PaymentPlatform.Events;

/// <summary>The identifiers of <see cref="ValidationError.Constraint"/>.</summary>
public static class Constraints
{
    public const string Json = "json";
    public const string Object = "object";
    public const string Required = "required";
    public const string Type = "type";
    public const string Duplicate = "duplicate";
    public const string AmountPositive = "amount_positive";
    public const string AmountRange = "amount_range";
    public const string Currency = "currency";
    public const string Status = "status";
    public const string Timestamp = "timestamp";
    public const string TimestampFuture = "timestamp_future";
    public const string CardData = "card_data";
    public const string Size = "size";
    public const string Depth = "depth";
    public const string Encoding = "encoding";

    /// <summary>Our own code failed on the event: no fault of its sender's.</summary>
    public const string Internal = "internal";

    public static readonly IReadOnlyList<string> All =
        [Json, Object, Required, Type, Duplicate, AmountPositive, AmountRange, Currency, Status, Timestamp, TimestampFuture, CardData, Size, Depth, Encoding, Internal];
}

namespace PaymentPlatform.Query;

/// <summary>How a column of the archive is written in an answer.</summary>
public enum EventColumnKind
{
    Text,
    Timestamp,
    Amount,
    Json,
    Integer,
    Boolean,
    Payload,
}

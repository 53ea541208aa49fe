namespace PaymentPlatform.Simulator;

/// <summary>What an event breaks on purpose; what each one is, to the number, stands in docs/simulator.md.</summary>
public enum ViolationPattern : byte
{
    None,

    Structuring,
    LargeAmount,
    RapidFire,

    MissingCustomerId,
    InvalidEmail,
    MissingCountry,

    CardDataMissing,
    UnknownCardBrand,
    FullCardNumber,

    NegativeAmount,
    ZeroAmount,
    InvalidCurrency,
    InvalidStatus,
    FutureTimestamp,
    MissingTransactionId,
    TruncatedJson,

    RefundWithoutPayment,
    StatusMismatch,
    CurrencyMismatch,
    HighRiskScore,
    FraudIndicators,
}

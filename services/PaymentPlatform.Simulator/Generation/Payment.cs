namespace PaymentPlatform.Simulator;

/// <summary>What all events of a payment agree on, and the status of the next one.</summary>
/// <param name="High">With <paramref name="Low"/> the transaction id; both also decide on the fields that have no share of their own.</param>
/// <param name="Milli">The amount in thousandths.</param>
/// <param name="Customer">See <see cref="CustomerBook"/>.</param>
/// <param name="Micros">The moment of its last event.</param>
internal readonly record struct Payment(
    ulong High, ulong Low, long Milli, CurrencyProfile Currency, byte[] Method, byte[] Status, byte[] Type, int Customer, int Merchant, long Micros);

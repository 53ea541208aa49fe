namespace PaymentPlatform.Query.Reconciliation;

/// <summary>A row of figures.</summary>
/// <param name="Window">Its start: microseconds since the Unix epoch.</param>
internal readonly record struct FigureKey(long Window, string PaymentMethod, string Currency, string PaymentStatus)
{
    public override string ToString() => $"{Timestamps.ToDateTime(Window).ToString(Timestamps.Format, System.Globalization.CultureInfo.InvariantCulture)} {PaymentMethod} {Currency} {PaymentStatus}";
}

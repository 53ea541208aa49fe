namespace PaymentPlatform.Faults.Model;

/// <summary>What a valid event adds to the figures.</summary>
/// <param name="Time">The transaction's, UTC.</param>
internal sealed record EventFigures(DateTime Time, string Method, string Currency, string Status, decimal Amount)
{
    public DateTime Window(TimeSpan size) => new(Time.Ticks - Time.Ticks % size.Ticks, DateTimeKind.Utc);
}

namespace PaymentPlatform.Simulator.Tests;

/// <summary>What the checker needs of an event, and the patterns that it matches by itself.</summary>
public sealed record CheckedEvent(long Number, bool IsValid, string? Id, long Micros, decimal Amount, string? Currency, string? Method, string? Status, string? Customer, string? Country, string? Category, string? Type)
{
    public List<string> Patterns { get; } = [];
}

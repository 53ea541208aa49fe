namespace PaymentPlatform.Events;

/// <summary>One thing that is wrong with an event. Card data never appears in any member.</summary>
/// <param name="Field">The field's name as the sender wrote it, or empty for the event as a whole.</param>
/// <param name="Constraint">A stable identifier, one of <see cref="Constraints"/>.</param>
/// <param name="Expected">What would have been accepted.</param>
/// <param name="Actual">What was found, shortened; null where nothing was.</param>
/// <param name="Message">One sentence for a person.</param>
public sealed record ValidationError(string Field, string Constraint, string Expected, string? Actual, string Message);

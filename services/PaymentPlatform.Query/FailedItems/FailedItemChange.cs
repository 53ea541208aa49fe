namespace PaymentPlatform.Query.FailedItems;

/// <summary>One change of a dead letter.</summary>
/// <param name="Action">resubmission_begun, resubmission_withdrawn (the stream does not take the event; it is pending as before), resubmitted, resolved or discarded.</param>
/// <param name="By">Who asked for it.</param>
/// <param name="PayloadSha256">Of the payload that goes out, hexadecimal; null where none does.</param>
public sealed record FailedItemChange(DateTime At, string Action, string By, string? Notes, string? PayloadSha256);

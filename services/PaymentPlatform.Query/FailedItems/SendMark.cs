namespace PaymentPlatform.Query.FailedItems;

/// <summary>A row of <c>failed_item_sends</c>: a resubmission that is under way.</summary>
internal sealed record SendMark(Resubmission Event, string ClaimKey);

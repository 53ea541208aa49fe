namespace PaymentPlatform.Query.Reconciliation;

/// <summary>How far the blobs are looked into.</summary>
public enum ReconciliationDepth
{
    /// <summary>Names and sizes.</summary>
    Listing,

    /// <summary>And the bytes of those that were not read for longest.</summary>
    Sample,

    /// <summary>And the bytes of all.</summary>
    Full,
}

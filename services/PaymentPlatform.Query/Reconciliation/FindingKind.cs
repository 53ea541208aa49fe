namespace PaymentPlatform.Query.Reconciliation;

/// <summary>What a finding is about, as it is answered, metered and documented.</summary>
internal static class FindingKind
{
    public const string BlobMissing = "blob_missing", BlobSize = "blob_size", BlobChanged = "blob_changed", BlobUnreadable = "blob_unreadable", BlobExtra = "blob_extra", BlobKept = "blob_kept";
    public const string RangeGap = "range_gap", RangeKnownGap = "range_known_gap", RangeOverlap = "range_overlap", RangeBeyond = "range_beyond_checkpoint", RangeState = "range_state";
    public const string FigureDiffers = "figure_differs", DeadLetterMissing = "dead_letter_missing", DeadLetterExtra = "dead_letter_extra";

    public static readonly IReadOnlyList<string> All =
    [
        BlobMissing, BlobSize, BlobChanged, BlobUnreadable, BlobExtra, BlobKept, RangeGap, RangeKnownGap, RangeOverlap, RangeBeyond, RangeState, FigureDiffers, DeadLetterMissing, DeadLetterExtra,
    ];

    /// <summary>True for what is known already and nothing to act on: all may agree nevertheless.</summary>
    public static bool IsInformation(string kind) => kind is BlobKept or RangeKnownGap;
}

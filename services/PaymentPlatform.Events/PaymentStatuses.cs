namespace PaymentPlatform.Events;

/// <summary>The closed set of <c>payment_status</c>.</summary>
public static class PaymentStatuses
{
    public const string Success = "success";

    /// <summary>As they are stored: an event's <see cref="Success"/> is completed.</summary>
    public static readonly IReadOnlyList<string> All = ["completed", "declined", "failed", "timeout", "error", "pending", "cancelled", "refunded"];

    internal const string Expected = "completed (or success), declined, failed, timeout, error, pending, cancelled, refunded";

    internal static readonly Utf8Text Completed = new("completed"u8.ToArray());

    internal static bool IsSuccess(ReadOnlySpan<byte> status) => status.SequenceEqual("success"u8);

    internal static bool IsKnown(ReadOnlySpan<byte> status) => status.Length switch
    {
        5 => status.SequenceEqual("error"u8),
        6 => status.SequenceEqual("failed"u8),
        7 => status.SequenceEqual("timeout"u8) || status.SequenceEqual("pending"u8),
        8 => status.SequenceEqual("declined"u8) || status.SequenceEqual("refunded"u8),
        9 => status.SequenceEqual("completed"u8) || status.SequenceEqual("cancelled"u8),
        _ => false,
    };
}

using System.Globalization;
using System.Text;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>The event that a dead letter goes out as. Settled before it does: every attempt sends the same.</summary>
/// <param name="PayloadSha256">Of <paramref name="Payload"/>.</param>
/// <param name="PartitionKey">UTF-8, as is <paramref name="CorrelationId"/>.</param>
/// <param name="IsMasked">Card data was masked.</param>
internal sealed record Resubmission(long ItemId, byte[] Payload, byte[] PayloadSha256, byte[] PartitionKey, byte[] CorrelationId, bool IsMasked)
{
    /// <summary>The value of <see cref="HeaderNames.Origin"/>.</summary>
    public const string Origin = "resubmission";

    /// <summary>A claim's key is this, the item, a slash and the attempt, from 1: one that the stream has refused must not stand in the way of the next.</summary>
    public const string ClaimKeyPrefix = "resubmit/";

    private static readonly byte[] s_outcome = [(byte)'1'];

    public static string MessageIdOf(long itemId) => string.Create(CultureInfo.InvariantCulture, $"resubmission-{itemId}");

    public Message ToMessage()
    {
        var headers = new MessageHeaders([new(HeaderNames.Origin, Origin), new(HeaderNames.OriginId, ItemId.ToString(CultureInfo.InvariantCulture))]);
        return new(Payload, Encoding.UTF8.GetBytes(MessageIdOf(ItemId)), CorrelationId, PartitionKey, IsMasked ? headers.With(HeaderNames.CardData, HeaderNames.Masked) : headers);
    }

    /// <param name="message">Its index in the publish call.</param>
    public IdempotencyClaim ToClaim(string key, int message) => new(key, 0, PayloadSha256, s_outcome, message, 1);
}

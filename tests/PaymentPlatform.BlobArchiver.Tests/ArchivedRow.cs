using System.Text;

namespace PaymentPlatform.BlobArchiver.Tests;

internal sealed record ArchivedRow(
    int Partition, long Offset, string MessageId, string CorrelationId, bool IsValid, string? Errors, string Origin, string? OriginId, byte[] RawPayload, string? TransactionId, string File, bool Duplicate)
{
    public string RawText => Encoding.UTF8.GetString(RawPayload);
}

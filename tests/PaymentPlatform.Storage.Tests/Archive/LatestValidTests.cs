using System.Globalization;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Storage.Tests.Archive;

public sealed class LatestValidTests
{
    /// <summary>A longer skew would let reconciliations and replays pass over valid events.</summary>
    [Fact]
    public void LatestValid_AllowsTheParsersClockSkew() => Assert.Contains(
        string.Create(CultureInfo.InvariantCulture, $"max_enqueued_at + interval '{new TransactionParserOptions().AllowedClockSkew.TotalMinutes} minutes'"), ArchiveManifest.LatestValid, StringComparison.Ordinal);
}

using PaymentPlatform.Events;

namespace PaymentPlatform.BlobArchiver;

/// <summary>What to do with card data that came over the stream: the door's setting, except that what is in already is masked, not refused.</summary>
internal static class CardDataSetting
{
    public static CardDataMode Read(IConfiguration configuration) =>
        string.Equals(configuration["Ingest:CardData"], "allow", StringComparison.OrdinalIgnoreCase) ? CardDataMode.Allow : CardDataMode.Mask;
}

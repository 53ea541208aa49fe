using System.Text.Json.Serialization;

namespace PaymentPlatform.Query.Lifecycle;

/// <summary>A hold that was placed just now.</summary>
/// <param name="LiveFiles">Files of the archive that it keeps now; null where that could not be found out. It keeps later ones as well.</param>
public sealed record PlacedHold(HoldItem Hold, long? LiveFiles) : HoldItem(Hold)
{
    [JsonIgnore]
    public HoldItem Hold { get; } = Hold;
}

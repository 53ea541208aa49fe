using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using PaymentPlatform.Events;

namespace PaymentPlatform.Streaming;

/// <summary>What consumers do with card data that came over the stream: the door's setting <c>Ingest:CardData</c>, except that what is in already is masked, not refused.</summary>
public static class StreamCardData
{
    public const string Key = "Ingest:CardData";

    /// <returns><see cref="CardDataMode.Allow"/> when card data is allowed altogether; otherwise, and when nothing is set, <see cref="CardDataMode.Mask"/>.</returns>
    /// <exception cref="OptionsValidationException">The setting is none of the choices; one line that names it and them.</exception>
    public static CardDataMode Read(IConfiguration configuration) => ReadDoor(configuration) == CardDataMode.Allow ? CardDataMode.Allow : CardDataMode.Mask;

    /// <summary>The setting as it is, for who lets events in besides ingest.</summary>
    /// <returns><see cref="CardDataMode.Reject"/> when nothing is set.</returns>
    /// <exception cref="OptionsValidationException">The setting is none of the choices; one line that names it and them.</exception>
    public static CardDataMode ReadDoor(IConfiguration configuration)
    {
        if (configuration[Key] is not { Length: > 0 } text)
            return CardDataMode.Reject;
        return Enum.TryParse<CardDataMode>(text, ignoreCase: true, out var mode) && Enum.IsDefined(mode)
            ? mode
            : throw new OptionsValidationException(Key, typeof(CardDataMode), [$"{Key} is '{text}': it must be reject, mask or allow."]);
    }
}

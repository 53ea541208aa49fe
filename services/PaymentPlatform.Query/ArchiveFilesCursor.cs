using System.Globalization;

namespace PaymentPlatform.Query;

/// <summary>The last file of a page, and the moment of the manifest that the listing was begun at: every page is of the same files, whatever is archived or merged meanwhile.</summary>
/// <param name="Generation"><see cref="ManifestView.Generation"/></param>
public sealed record ArchiveFilesCursor(long Generation, Guid FileId)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Generation}-{FileId:N}");

    public static ArchiveFilesCursor? TryParse(string text) =>
        text.Split('-') is [var generation, var file]
        && long.TryParse(generation, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && Guid.TryParseExact(file, "N", out var id)
            ? new(number, id)
            : null;
}

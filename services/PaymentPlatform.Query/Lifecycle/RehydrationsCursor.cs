using System.Globalization;

namespace PaymentPlatform.Query.Lifecycle;

/// <summary>The last file of a page of the rehydrations. A file that is asked for again meanwhile comes to the beginning, and may be missing on later pages.</summary>
/// <param name="RequestedAt">Microseconds since the Unix epoch.</param>
internal sealed record RehydrationsCursor(long RequestedAt, Guid FileId)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{RequestedAt}-{FileId:N}");

    public static RehydrationsCursor? TryParse(string text) =>
        text.Split('-') is [var time, var file]
        && long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var micros)
        && Guid.TryParseExact(file, "N", out var id)
            ? new(micros, id)
            : null;
}

using System.Buffers.Text;
using System.Globalization;

namespace PaymentPlatform.Query;

/// <summary>Times as the archive holds them, microseconds since the Unix epoch, and as the contract writes them, RFC 3339 in UTC with six decimals.</summary>
public static class Timestamps
{
    public const string Format = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>The length of a formatted time.</summary>
    public const int Length = 27;

    private static readonly long MinMicros = ToMicros(DateTime.MinValue);
    private static readonly long MaxMicros = ToMicros(DateTime.MaxValue);

    private static readonly string[] Accepted =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd'T'HH:mmzzz", "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd",
    ];

    /// <summary>Rounds towards the past.</summary>
    public static long ToMicros(DateTime time) => (time.Ticks / TimeSpan.TicksPerMicrosecond) - (DateTime.UnixEpoch.Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>Times outside years 1 to 9999 become the nearest one inside.</summary>
    public static DateTime ToDateTime(long micros) => micros <= MinMicros
        ? DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc)
        : micros >= MaxMicros
            ? DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc)
            : DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    /// <summary>Whether the time is within years 1 to 9999.</summary>
    public static bool IsInRange(long micros) => micros >= MinMicros && micros <= MaxMicros;

    /// <summary>
    /// RFC 3339; without an offset it is UTC; a date alone is its midnight. A space before the offset is a plus sign that the URL lost.
    /// A seventh decimal rounds up: events have six, and so both bounds of a half-open range stay right.
    /// </summary>
    public static bool TryParse(string text, out long micros)
    {
        if (text.Length > 6 && text[^6] == ' ' && text.Contains('T'))
            text = string.Concat(text.AsSpan(0, text.Length - 6), "+", text.AsSpan(text.Length - 5));
        var parsed = DateTimeOffset.TryParseExact(text, Accepted, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time);
        micros = parsed ? ToMicros(time.UtcDateTime) + (time.Ticks % TimeSpan.TicksPerMicrosecond > 0 ? 1 : 0) : 0;
        return parsed;
    }

    /// <summary>Writes <see cref="Length"/> ASCII bytes.</summary>
    public static void Write(long micros, Span<byte> destination)
    {
        var time = ToDateTime(micros);
        // "O" has seven decimals; the last one is always zero here.
        Span<byte> round = stackalloc byte[28];
        Utf8Formatter.TryFormat(time, round, out _, 'O');
        round[..26].CopyTo(destination);
        destination[26] = (byte)'Z';
    }
}

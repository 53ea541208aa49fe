namespace PaymentPlatform.Events;

/// <summary>
/// <c>YYYY-MM-DD</c>, <c>T</c> or a space, <c>hh:mm:ss</c>, up to nine fraction digits (cut to microseconds), then <c>Z</c>, <c>±hh:mm</c> or nothing for UTC.
/// No leap seconds, no 24:00, nothing outside the years 1 to 9999 in UTC.
/// </summary>
internal static class Iso8601
{
    private const long MicrosPerDay = 86_400_000_000;
    private static readonly long MinMicros = DaysFromCivil(1, 1, 1) * MicrosPerDay;
    private static readonly long MaxMicros = DaysFromCivil(10000, 1, 1) * MicrosPerDay - 1;

    private static ReadOnlySpan<byte> DaysInMonth => [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

    /// <param name="text">The timestamp's characters.</param>
    /// <param name="micros">Microseconds since the Unix epoch, UTC.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, out long micros)
    {
        micros = 0;
        if (text.Length < 19 || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)' ') || text[13] != ':' || text[16] != ':')
            return false;

        var ok = true;
        var year = Two(text, 0, ref ok) * 100 + Two(text, 2, ref ok);
        var month = Two(text, 5, ref ok);
        var day = Two(text, 8, ref ok);
        var hour = Two(text, 11, ref ok);
        var minute = Two(text, 14, ref ok);
        var second = Two(text, 17, ref ok);
        if (!ok || year == 0 || month is 0 or > 12 || hour > 23 || minute > 59 || second > 59 || day == 0 || day > LastDay(year, month))
            return false;

        var rest = text[19..];
        if (!TryFraction(ref rest, out var fraction) || !TryOffset(rest, out var offsetMinutes))
            return false;

        micros = DaysFromCivil(year, month, day) * MicrosPerDay + (hour * 3600L + minute * 60 + second - offsetMinutes * 60L) * 1_000_000 + fraction;
        return micros >= MinMicros && micros <= MaxMicros;
    }

    private static int Two(ReadOnlySpan<byte> text, int at, ref bool ok)
    {
        var (tens, ones) = ((uint)text[at] - '0', (uint)text[at + 1] - '0');
        ok &= tens <= 9 & ones <= 9;
        return (int)(tens * 10 + ones);
    }

    private static int LastDay(int year, int month) => month == 2 && DateTime.IsLeapYear(year) ? 29 : DaysInMonth[month];

    private static bool TryFraction(ref ReadOnlySpan<byte> rest, out int micros)
    {
        micros = 0;
        if (rest.IsEmpty || rest[0] != '.')
            return true;

        var digits = 0;
        while (digits + 1 < rest.Length && rest[digits + 1] is >= (byte)'0' and <= (byte)'9')
        {
            if (digits++ < 6)
                micros = micros * 10 + rest[digits] - '0';
        }

        for (var i = digits; i < 6; i++)
            micros *= 10;
        rest = rest[(digits + 1)..];
        return digits is >= 1 and <= 9;
    }

    private static bool TryOffset(ReadOnlySpan<byte> rest, out int minutes)
    {
        minutes = 0;
        if (rest.IsEmpty || (rest.Length == 1 && rest[0] == 'Z'))
            return true;
        if (rest.Length != 6 || rest[0] is not ((byte)'+' or (byte)'-') || rest[3] != ':')
            return false;

        var ok = true;
        var (hours, extra) = (Two(rest, 1, ref ok), Two(rest, 4, ref ok));
        minutes = (hours * 60 + extra) * (rest[0] == '-' ? -1 : 1);
        return ok && hours <= 23 && extra <= 59;
    }

    /// <summary>Days since 1970-01-01 of a proleptic Gregorian date, by counting 400-year eras from March.</summary>
    private static long DaysFromCivil(int year, int month, int day)
    {
        var shifted = month <= 2 ? year - 1 : year;
        var era = shifted / 400;
        var yearOfEra = shifted - era * 400;
        var dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        var dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
        return era * 146_097L + dayOfEra - 719_468;
    }
}

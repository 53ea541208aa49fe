using Npgsql;
using NpgsqlTypes;

namespace PaymentPlatform.Metrics;

/// <summary>Parameters for <c>unnest</c>.</summary>
internal static class SqlArray
{
    // Npgsql takes a timestamptz as it goes over the wire: microseconds since 2000-01-01. It has no DateTime's limits.
    private const long PostgresEpochMicros = 946_684_800_000_000;

    /// <param name="micros">Microseconds since the Unix epoch.</param>
    public static NpgsqlParameter Times<T>(T[] rows, Converter<T, long> micros) => new NpgsqlParameter<long[]>
    {
        TypedValue = Array.ConvertAll(rows, row => micros(row) - PostgresEpochMicros),
        NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
    };

    public static NpgsqlParameter Time(long micros) => new NpgsqlParameter<long> { TypedValue = micros - PostgresEpochMicros, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    /// <returns>Microseconds since the Unix epoch.</returns>
    public static long Micros(NpgsqlDataReader reader, int ordinal) => (reader.GetDateTime(ordinal) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public static NpgsqlParameter Of<TRow, T>(TRow[] rows, Converter<TRow, T> value) => new NpgsqlParameter<T[]> { TypedValue = Array.ConvertAll(rows, value) };

    public static NpgsqlParameter Bytes<T>(T[] rows, Converter<T, byte[]> bytes) => new NpgsqlParameter<byte[][]>
    {
        TypedValue = Array.ConvertAll(rows, bytes),
        NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea,
    };
}

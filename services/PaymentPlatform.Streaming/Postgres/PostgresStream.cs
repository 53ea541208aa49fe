using Npgsql;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Names and errors that the schema (0001_stream.sql) and the code share.</summary>
internal static class PostgresStream
{
    public const string LogGone = "PP001";
    public const string ClaimTaken = "PP002";
    public const string NoRoom = "PP003";

    /// <summary>The largest body.</summary>
    public const int MaxBodySize = 1 << 20;

    /// <summary>Of message id, correlation id and key together.</summary>
    public const int MaxIdentitySize = 1 << 16;

    public static StreamUnavailableException Unavailable(string stream, NpgsqlDataSource database, Exception reason)
    {
        var address = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        return new(
            $"The stream '{stream}' can't be reached in the database '{address.Database}' at {address.Host}:{address.Port}: {Describe(reason)} (connection string 'paymentsdb').",
            reason);
    }

    private static string Describe(Exception reason) => reason switch
    {
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction } => "the database is not migrated yet",
        { InnerException: { } inner } and NpgsqlException and not PostgresException => $"{reason.Message.TrimEnd('.')} ({inner.Message.TrimEnd('.')})",
        _ => reason.Message.TrimEnd('.'),
    };
}

using Npgsql;
using NpgsqlTypes;

namespace PaymentPlatform.Query;

/// <summary>Finds the live files that may hold events of a time range.</summary>
public sealed class ManifestReader(DatabaseTurns database)
{
    private const string TransactionOverlap = "(max_transaction_timestamp >= @from AND min_transaction_timestamp < @to)";
    private const string ArrivalOverlap = "(max_enqueued_at >= @from AND min_enqueued_at < @to)";

    /// <summary>One consistent view: the files that are live at one moment, in no particular order.</summary>
    /// <param name="from">Microseconds since the Unix epoch, inclusive; null: from the first event on.</param>
    /// <param name="to">Exclusive; null: to the last event.</param>
    public Task<List<ArchiveFile>> FindAsync(TimeAxis axis, long? from, long? to, CancellationToken cancellationToken) =>
        database.ExecuteAsync((connection, token) => FindAsync(connection, axis, from, to, token), cancellationToken);

    private static async Task<List<ArchiveFile>> FindAsync(NpgsqlConnection connection, TimeAxis axis, long? from, long? to, CancellationToken cancellationToken)
    {
        var (min, max, overlap) = axis switch
        {
            TimeAxis.Transaction => ("min_transaction_timestamp", "max_transaction_timestamp", TransactionOverlap),
            TimeAxis.Arrival => ("min_enqueued_at", "max_enqueued_at", ArrivalOverlap),
            // LEAST and GREATEST leave nulls out.
            _ => ("LEAST(min_transaction_timestamp, min_enqueued_at)", "GREATEST(max_transaction_timestamp, max_enqueued_at)",
                $"({TransactionOverlap} OR (valid_count IS DISTINCT FROM row_count AND {ArrivalOverlap}))"),
        };
        await using var command = new NpgsqlCommand(
            $"SELECT blob_name, row_count, byte_size, sha256, {min}, {max} FROM raw_event_files WHERE state = 'live' AND row_count > 0 AND {overlap}", connection);
        command.Parameters.Add(new("from", NpgsqlDbType.TimestampTz) { Value = from is { } f ? Timestamps.ToDateTime(f) : DateTime.MinValue });
        command.Parameters.Add(new("to", NpgsqlDbType.TimestampTz) { Value = to is { } t ? Timestamps.ToDateTime(t) : DateTime.MaxValue });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<ArchiveFile>();
        while (await reader.ReadAsync(cancellationToken))
        {
            files.Add(new(
                reader.GetString(0),
                reader.GetInt64(1),
                reader.GetInt64(2),
                Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(3)),
                Timestamps.ToMicros(reader.GetDateTime(4)),
                Timestamps.ToMicros(reader.GetDateTime(5))));
        }

        return files;
    }
}

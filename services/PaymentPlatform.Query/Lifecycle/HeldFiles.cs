using Npgsql;
using PaymentPlatform.Query.Lookup;

namespace PaymentPlatform.Query.Lifecycle;

/// <summary>Counts the files of the archive that a hold keeps.</summary>
internal sealed class HeldFiles(DatabaseTurns database, TransactionLookup lookup)
{
    /// <returns>Null where it is not known: a file can't be read, or too many questions are asked.</returns>
    public async Task<long?> CountAsync(HoldItem hold, CancellationToken cancellationToken) =>
        hold.TransactionId is { } payment ? await CountAsync(payment, cancellationToken) : await database.ExecuteAsync((connection, token) => CountAsync(connection, hold, token), cancellationToken);

    private async Task<long?> CountAsync(string transactionId, CancellationToken cancellationToken)
    {
        try
        {
            await using var scan = await lookup.OpenAsync(transactionId, cancellationToken);
            var files = new HashSet<string>();
            await scan.ReadAsync(row =>
            {
                files.Add(row.BlobName);
                return true;
            });
            return files.Count;
        }
        catch (Exception exception) when (exception is ArchiveFileException or EngineBusyException)
        {
            return null;
        }
    }

    /// <summary>As the end of retention compares: transaction times and arrivals both count.</summary>
    private static async Task<long?> CountAsync(NpgsqlConnection connection, HoldItem hold, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT count(*) FROM raw_event_files
            WHERE state = 'live' AND row_count > 0 AND GREATEST(max_transaction_timestamp, max_enqueued_at) >= $1 AND LEAST(min_transaction_timestamp, min_enqueued_at) < $2
            """, connection)
        {
            Parameters = { new() { Value = hold.From!.Value }, new() { Value = hold.To!.Value } },
        };
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}

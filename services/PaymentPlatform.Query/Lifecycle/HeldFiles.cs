using Npgsql;
using PaymentPlatform.Query.Lookup;
using PaymentPlatform.Storage;

namespace PaymentPlatform.Query.Lifecycle;

/// <summary>Counts the files of the archive that a hold keeps.</summary>
internal sealed partial class HeldFiles(DatabaseTurns database, TransactionLookup lookup, TimeProvider time, ILogger<HeldFiles> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>The hold stands already, so that nothing that goes wrong here may look like a hold that failed.</summary>
    /// <returns>Of a payment: files with events whose id is readable, which retention's own look may exceed. Null where it is not known: a file, the store or the database can't be read, or it takes too long.</returns>
    public async Task<long?> CountAsync(HoldItem hold, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return hold.TransactionId is { } payment ? await CountAsync(payment, end.Token) : await database.ExecuteAsync((connection, token) => CountAsync(connection, hold, token), end.Token);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogUncounted(logger, hold.Id, Faults.Describe(exception));
            return null;
        }
    }

    private async Task<long?> CountAsync(string transactionId, CancellationToken cancellationToken)
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Hold {Hold} is placed, but the files that it keeps could not be counted: {Why}")]
    private static partial void LogUncounted(ILogger logger, long hold, string why);
}

using Npgsql;

namespace PaymentPlatform.BlobArchiver;

/// <summary>Transactions that a paused process can't hold open: whoever took over would wait for the checkpoints' locks.</summary>
internal static class BoundedTransaction
{
    /// <summary>The server ends the session when nothing comes for 10 s while the transaction is open.</summary>
    public static async Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SET LOCAL idle_in_transaction_session_timeout = '10s'", connection, transaction);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return transaction;
    }
}

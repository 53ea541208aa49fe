using System.Globalization;
using Npgsql;

namespace PaymentPlatform.Storage.Database;

/// <summary>Transactions that a paused process can't hold open: whoever took over would wait for the locks of its rows.</summary>
public static class BoundedTransaction
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Whole = TimeSpan.FromSeconds(30);

    /// <summary>The server ends the session when nothing comes for 10 s while the transaction is open, or when the transaction is not over after 30 s.</summary>
    public static Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => BeginAsync(connection, Idle, Whole, cancellationToken);

    /// <param name="idle">How long the server waits for the next command; whole milliseconds.</param>
    /// <param name="whole">How long the transaction may last; whole milliseconds. PostgreSQL 16 and older know no such limit, and keep to <paramref name="idle"/>.</param>
    public static async Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, TimeSpan idle, TimeSpan whole, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            var sql = string.Create(CultureInfo.InvariantCulture, $"SET LOCAL idle_in_transaction_session_timeout = {(long)idle.TotalMilliseconds}");
            // Being idle ends with the first byte of the next command; only this counts while a command is still on its way.
            if (connection.PostgreSqlVersion.Major >= 17)
                sql = string.Create(CultureInfo.InvariantCulture, $"{sql}; SET LOCAL transaction_timeout = {(long)whole.TotalMilliseconds}");
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }
}

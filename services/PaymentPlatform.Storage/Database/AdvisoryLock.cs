using Npgsql;

namespace PaymentPlatform.Storage.Database;

/// <summary>Work that one process at a time should do. Held by an open transaction, so that it goes whatever becomes of the holder.</summary>
public sealed class AdvisoryLock : IAsyncDisposable
{
    /// <summary>"ARCSWEEP", "ARCRESTO", "METREBLD", "METCLUST" and "RECONCIL".</summary>
    public const long Sweeper = 0x4152435357454550, Restorer = 0x415243524553544F, Rebuilder = 0x4D45545245424C44, Clusterer = 0x4D4554434C555354, Reconciler = 0x5245434F4E43494C;

    /// <summary>"ARCCOMPA" and "ARCLIFEC".</summary>
    public const long Compactor = 0x415243434F4D5041, Lifecycle = 0x4152434C49464543;

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private AdvisoryLock(NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        _connection = connection;
        _transaction = transaction;
    }

    /// <returns>Null when another holds it.</returns>
    public static async Task<AdvisoryLock?> TryTakeAsync(NpgsqlDataSource database, long key, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT pg_try_advisory_xact_lock($1)", connection, transaction) { Parameters = { new() { Value = key } } };
            if ((bool)(await command.ExecuteScalarAsync(cancellationToken))!)
                return new(connection, transaction);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }

        await connection.DisposeAsync();
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}

using System.Collections.Frozen;
using System.Text;
using DuckDB.NET.Data;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Events;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.BlobArchiver.Lifecycle;

/// <summary>Gives up files at the end of their retention, but no file with an event that is held. The sweeper deletes their blobs.</summary>
internal sealed partial class RetentionDeleter(
    HybridConnectionManager connections, ArchiveBlobs blobs, IOptions<ArchiverOptions> options, TimeProvider timeProvider, ILogger<RetentionDeleter> logger)
{
    private const int PageSize = 100;

    /// <summary>What can't be looked through today is missing, damaged or in the archive tier tomorrow as well, as a rule.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromDays(1);

    /// <returns>How many files were given up; null when another process is at it.</returns>
    public async Task<int?> DeleteAsync(CancellationToken cancellationToken)
    {
        if (options.Value.RetentionDays == 0)
            return 0;
        await using var guard = await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Lifecycle, cancellationToken);
        if (guard is null)
            return null;

        WorkFolders.OfMachine.Sweep(timeProvider.GetUtcNow());
        await using var connection = await connections.Database.OpenConnectionAsync(cancellationToken);
        await LifecycleManifest.DropVerdictsAsync(connection, cancellationToken);
        var holds = await LifecycleManifest.ListHeldPaymentsAsync(connection, cancellationToken);
        var (given, after) = (0, Guid.Empty);
        while (await LifecycleManifest.ListExpiredAsync(connection, TimeSpan.FromDays(options.Value.RetentionDays), Patience, after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var file in page)
            {
                after = file.FileId;
                if (holds.Count > 0 && !await IsFreeAsync(connection, file, holds, cancellationToken))
                    continue;
                await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
                if (!await LifecycleManifest.GiveUpAsync(transaction, file.FileId, holds.Keys, cancellationToken))
                    continue;
                await transaction.CommitAsync(cancellationToken);
                given++;
                LogGivenUp(logger, file.BlobName, file.Rows, options.Value.RetentionDays);
            }
        }

        if (await LifecycleManifest.FindUnknownAsync(connection, cancellationToken) is var (unknown, blob, fault))
            LogUnknown(logger, unknown, blob, fault);
        return given;
    }

    /// <summary>Looks the file through for the held payments, and keeps the verdict when it stays.</summary>
    private async Task<bool> IsFreeAsync(NpgsqlConnection connection, ExpiredFile file, Dictionary<long, string> holds, CancellationToken cancellationToken)
    {
        var (found, fault) = await FindAsync(file, holds.Values, cancellationToken);
        var holding = holds.Where(h => found.Contains(h.Value)).ToList();
        if (holding.Count == 0 && fault is null)
            return true;
        await LifecycleManifest.KeepVerdictAsync(connection, file.FileId, [.. holding.Select(h => h.Key)], fault, cancellationToken);
        if (fault is null)
            LogHeld(logger, file.BlobName, holding[0].Key);
        return false;
    }

    /// <returns>Those of the payments that the file has events of; or why that can't be known.</returns>
    private async Task<(IReadOnlySet<string> Found, string? Fault)> FindAsync(ExpiredFile file, IReadOnlyCollection<string> payments, CancellationToken cancellationToken)
    {
        var directory = WorkFolders.CreateForHolds();
        try
        {
            var path = Path.Combine(directory.FullName, "file.parquet");
            return await blobs.FetchAsync(file.BlobName, path, file.Bytes, file.Sha256, cancellationToken)
                ? (await Task.Run(() => Find(directory.FullName, path, payments), cancellationToken), null)
                : (FrozenSet<string>.Empty, "its bytes are not those of the manifest");
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && !Faults.IsStoreDown(e))
        {
            // One file's fault is not the others'.
            return (FrozenSet<string>.Empty, Faults.Describe(e));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>An event that is not valid counts when its bytes have the id anywhere, with escapes or without: the column may lack it.</summary>
    private HashSet<string> Find(string directory, string path, IReadOnlyCollection<string> payments)
    {
        using var duckDb = SandboxedDuckDb.Open(directory, options.Value.CompactionMemory);
        using var command = duckDb.CreateCommand();
        var file = $"read_parquet({SandboxedDuckDb.Quote(path)}, hive_partitioning = false)";
        command.CommandText = $"""
            SELECT transaction_id FROM {file} WHERE list_contains($payments, transaction_id)
            UNION SELECT unnest(list_filter($payments, p -> contains(hex(raw_payload), hex(p)))) FROM {file} WHERE NOT coalesce(is_valid, false)
            """;
        command.Parameters.Add(new("payments", payments.ToList()));
        var found = new HashSet<string>(StringComparer.Ordinal);
        using (var reader = command.ExecuteReader())
        {
            while (reader.Read())
                found.Add(reader.GetString(0));
        }

        AddWithEscapes(found, duckDb, file, payments);
        return found;
    }

    private static void AddWithEscapes(HashSet<string> found, DuckDBConnection duckDb, string file, IReadOnlyCollection<string> payments)
    {
        var wanted = payments.Select(p => (Payment: p, Bytes: Encoding.UTF8.GetBytes(p))).ToList();
        using var command = duckDb.CreateCommand();
        command.CommandText = $"SELECT raw_payload FROM {file} WHERE NOT coalesce(is_valid, false) AND contains(hex(raw_payload), hex('\\'))";
        command.UseStreamingMode = true;
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            using var stream = reader.GetStream(0);
            var payload = new byte[stream.Length];
            stream.ReadExactly(payload);
            var length = JsonEscapes.DecodeUtf8(payload, payload);
            foreach (var (payment, bytes) in wanted)
            {
                if (payload.AsSpan(0, length).IndexOf(bytes) >= 0)
                    found.Add(payment);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Gave up {Blob} ({Rows} events): older than {Days} days, and not held")]
    private static partial void LogGivenUp(ILogger logger, string blob, long rows, int days);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Blob} is past its retention and stays: it has events of the payment of hold {Hold}")]
    private static partial void LogHeld(ILogger logger, string blob, long hold);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Files past their retention that can't be looked through for held payments, and so stay (table retention_verdicts): {Files}, such as {Blob}: {Fault}")]
    private static partial void LogUnknown(ILogger logger, long files, string blob, string fault);
}

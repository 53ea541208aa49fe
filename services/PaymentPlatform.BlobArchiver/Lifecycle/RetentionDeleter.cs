using System.Text;
using DuckDB.NET.Data;
using Microsoft.Extensions.Options;
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
        var holds = await LifecycleManifest.ListHeldPaymentsAsync(connection, cancellationToken);
        var (given, after) = (0, Guid.Empty);
        while (await LifecycleManifest.ListExpiredAsync(connection, TimeSpan.FromDays(options.Value.RetentionDays), after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var file in page)
            {
                after = file.FileId;
                if (holds.Count > 0 && await HasAnyAsync(file, holds.Values, cancellationToken))
                    continue;
                await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
                if (!await LifecycleManifest.GiveUpAsync(transaction, file.FileId, holds.Keys, cancellationToken))
                    continue;
                await transaction.CommitAsync(cancellationToken);
                given++;
                LogGivenUp(logger, file.BlobName, file.Rows, options.Value.RetentionDays);
            }
        }

        return given;
    }

    /// <summary>True as well when it can't be known: then the file stays.</summary>
    private async Task<bool> HasAnyAsync(ExpiredFile file, IReadOnlyCollection<string> payments, CancellationToken cancellationToken)
    {
        var directory = WorkFolders.CreateForHolds();
        try
        {
            var path = Path.Combine(directory.FullName, "file.parquet");
            if (!await blobs.FetchAsync(file.BlobName, path, file.Bytes, file.Sha256, cancellationToken))
            {
                LogUnknown(logger, file.BlobName, "its bytes are not those of the manifest");
                return true;
            }

            return await Task.Run(() => HasAny(directory.FullName, path, payments), cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && !Faults.IsStoreDown(e))
        {
            // One file's fault is not the others'.
            LogUnknown(logger, file.BlobName, Faults.Describe(e));
            return true;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>An event that is not valid counts when its bytes have the id anywhere, with escapes or without: the column may lack it.</summary>
    private bool HasAny(string directory, string path, IReadOnlyCollection<string> payments)
    {
        using var duckDb = SandboxedDuckDb.Open(directory, options.Value.CompactionMemory);
        using var command = duckDb.CreateCommand();
        var file = $"read_parquet({SandboxedDuckDb.Quote(path)}, hive_partitioning = false)";
        command.CommandText = $"""
            SELECT EXISTS (
              SELECT 1 FROM {file}
              WHERE list_contains($payments, transaction_id) OR (NOT coalesce(is_valid, false) AND list_bool_or(list_transform($payments, p -> contains(hex(raw_payload), hex(p))))))
            """;
        command.Parameters.Add(new("payments", payments.ToList()));
        return (bool)command.ExecuteScalar()! || HasAnyWithEscapes(duckDb, file, payments);
    }

    private static bool HasAnyWithEscapes(DuckDBConnection duckDb, string file, IReadOnlyCollection<string> payments)
    {
        var wanted = payments.Select(Encoding.UTF8.GetBytes).ToList();
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
            if (wanted.Exists(id => payload.AsSpan(0, length).IndexOf(id) >= 0))
                return true;
        }

        return false;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Gave up {Blob} ({Rows} events): older than {Days} days, and not held")]
    private static partial void LogGivenUp(ILogger logger, string blob, long rows, int days);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Blob} is past its retention but can't be looked through for held payments, so it stays: {Why}")]
    private static partial void LogUnknown(ILogger logger, string blob, string why);
}

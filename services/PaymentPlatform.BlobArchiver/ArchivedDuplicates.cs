using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.BlobArchiver;

/// <summary>The positions of the events that the archive flags as duplicates. Few: repeats of requests that died half-way.</summary>
internal static class ArchivedDuplicates
{
    public static async Task AddAsync(NpgsqlTransaction transaction, IReadOnlyCollection<(StreamPartition Partition, long Offset)> duplicates, CancellationToken cancellationToken)
    {
        if (duplicates.Count == 0)
            return;
        await using var command = new NpgsqlCommand(
            "INSERT INTO archived_duplicates (stream, log_id, partition_id, stream_offset) SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[])",
            transaction.Connection, transaction);
        command.Parameters.Add(new() { Value = duplicates.Select(d => d.Partition.Stream).ToArray() });
        command.Parameters.Add(new() { Value = duplicates.Select(d => d.Partition.LogId).ToArray() });
        command.Parameters.Add(new() { Value = duplicates.Select(d => d.Partition.PartitionId).ToArray() });
        command.Parameters.Add(new() { Value = duplicates.Select(d => d.Offset).ToArray() });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <returns>The offsets in the range that are flagged.</returns>
    public static async Task<HashSet<long>> ReadAsync(NpgsqlDataSource database, OffsetRange range, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "SELECT stream_offset FROM archived_duplicates WHERE stream = $1 AND log_id = $2 AND partition_id = $3 AND stream_offset >= $4 AND stream_offset < $5");
        command.Parameters.Add(new() { Value = range.Partition.Stream });
        command.Parameters.Add(new() { Value = range.Partition.LogId });
        command.Parameters.Add(new() { Value = range.Partition.PartitionId });
        command.Parameters.Add(new() { Value = range.From });
        command.Parameters.Add(new() { Value = range.To });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var offsets = new HashSet<long>();
        while (await reader.ReadAsync(cancellationToken))
            offsets.Add(reader.GetInt64(0));
        return offsets;
    }
}

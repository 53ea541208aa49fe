using System.Data;
using Npgsql;
using PaymentPlatform.Faults.Instances;

namespace PaymentPlatform.Faults.Model;

/// <summary>What the database says at one moment: all of it is of one snapshot.</summary>
internal sealed record PlatformState(
    IReadOnlyDictionary<int, long> Ends,
    IReadOnlyDictionary<(string Group, int Partition), long> Checkpoints,
    IReadOnlyList<LiveFile> Files,
    IReadOnlyList<(string File, int Partition, long First, long Next)> Ranges,
    long Counted,
    long DeadLetters,
    long UnfoldedDeltas)
{
    public static Task<PlatformState> ReadAsync(NpgsqlDataSource database, CancellationToken cancellationToken) =>
        RunPlace.WhileRestartingAsync(() => ReadOnceAsync(database, cancellationToken), cancellationToken);

    private static async Task<PlatformState> ReadOnceAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var ends = await ReadAsync("SELECT partition_id, p.next_offset FROM stream_partitions p JOIN stream_logs l USING (log_id) WHERE l.stream = 'payments'", r => (r.GetInt32(0), r.GetInt64(1)));
        var checkpoints = await ReadAsync("SELECT consumer_group, partition_id, next_offset FROM stream_checkpoints", r => ((r.GetString(0), r.GetInt32(1)), r.GetInt64(2)));
        var files = await ReadAsync("SELECT blob_name, byte_size, sha256, row_count FROM raw_event_files WHERE state = 'live'", r => new LiveFile(r.GetString(0), r.GetInt64(1), r.GetFieldValue<byte[]>(2), r.GetInt64(3)));
        var ranges = await ReadAsync(
            "SELECT blob_name, partition_id, first_offset, next_offset FROM raw_event_ranges r JOIN raw_event_files f USING (file_id) WHERE live AND state = 'live' ORDER BY 2, 3",
            r => (r.GetString(0), r.GetInt32(1), r.GetInt64(2), r.GetInt64(3)));
        var counts = await ReadAsync(
            "SELECT (SELECT coalesce(sum(total_count), 0)::bigint FROM payment_metrics_5m), (SELECT count(*) FROM failed_items), (SELECT count(*) FROM metric_deltas)", r => (r.GetInt64(0), r.GetInt64(1), r.GetInt64(2)));
        return new(ends.ToDictionary(), checkpoints.ToDictionary(), files, ranges, counts[0].Item1, counts[0].Item2, counts[0].Item3);

        async Task<List<T>> ReadAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellationToken))
                rows.Add(read(reader));
            return rows;
        }
    }

    /// <summary>Every group has read to the end, and what it wrote is folded.</summary>
    public bool IsDrained => UnfoldedDeltas == 0 && Ends.All(e => e.Value == 0 || (Of("archiver", e.Key) == e.Value && Of("metrics", e.Key) == e.Value));

    public string Lag => string.Join(", ", Ends.OrderBy(e => e.Key).Select(e => $"{e.Key}: archiver {Of("archiver", e.Key)}, metrics {Of("metrics", e.Key)} of {e.Value}")) + $"; {UnfoldedDeltas} deltas";

    /// <summary>What must hold at any moment, whatever goes wrong.</summary>
    /// <exception cref="InvariantBrokenException">It does not.</exception>
    public void Check()
    {
        foreach (var ((group, partition), checkpoint) in Checkpoints)
            InvariantBrokenException.Unless(checkpoint <= Ends.GetValueOrDefault(partition), "checkpoint never past what is durable", () => $"{group} stands at {checkpoint} of partition {partition}, which ends at {Ends.GetValueOrDefault(partition)}");
        foreach (var partition in Ends.Keys)
        {
            var next = 0L;
            foreach (var range in Ranges.Where(r => r.Partition == partition))
            {
                InvariantBrokenException.Unless(range.First == next, "archive is contiguous", () => $"partition {partition}: {range.File} begins at {range.First} where {next} follows");
                next = range.Next;
            }

            InvariantBrokenException.Unless(
                next == Of("archiver", partition), "checkpoint never past what is durable", () => $"the archiver's checkpoint of partition {partition} is {Of("archiver", partition)}, and live files reach to {next}");
        }

        var read = Checkpoints.Where(c => c.Key.Group == "metrics").Sum(c => c.Value);
        InvariantBrokenException.Unless(
            Counted + DeadLetters == read, "figures commit with their checkpoint", () => $"{Counted} events counted and {DeadLetters} dead letters, but the checkpoints passed {read} events");
    }

    private long Of(string group, int partition) => Checkpoints.GetValueOrDefault((group, partition));
}

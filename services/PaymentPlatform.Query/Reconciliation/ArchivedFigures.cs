using System.Globalization;
using DuckDB.NET.Data;
using Microsoft.Extensions.Options;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>Counts the archive's events below a cut with the query engine, slice by slice over local copies: memory follows the rows of figures, not the events.</summary>
internal sealed class ArchivedFigures(ArchiveFileCache cache, ArchiveEngine engine, IOptions<QueryOptions> options)
{
    private const string BelowCut = """
        FROM read_parquet($files, union_by_name = true) e
        JOIN (SELECT unnest($streams) AS stream, unnest($logs) AS log_id, unnest($partitions) AS partition_id, unnest($ends) AS next_offset) c
          ON e.stream = c.stream AND e.stream_log_id = c.log_id AND e.stream_partition = c.partition_id AND e.stream_offset < c.next_offset
        WHERE e.duplicate IS DISTINCT FROM true
        """;

    // A repeat or a replay counts zero times. The engine's division rounds towards zero, windows begin below.
    private const string CountSql = $"""
        SELECT w - (((w % $window) + $window) % $window) AS window_start, payment_method, currency, payment_status, count(*)::BIGINT, sum(amount)::DECIMAL(38, 4)::VARCHAR, min(amount)::VARCHAR, max(amount)::VARCHAR
        FROM (
          SELECT epoch_us(e.transaction_timestamp) AS w, e.payment_method, e.currency, e.payment_status, e.amount::DECIMAL(19, 4) AS amount
          {BelowCut} AND e.is_valid AND e.origin IS DISTINCT FROM 'replay' AND e.transaction_timestamp >= make_timestamp($from) AND e.transaction_timestamp < make_timestamp($to))
        GROUP BY ALL
        """;

    private const string InvalidSql = $"""
        SELECT e.stream, e.stream_log_id, e.stream_partition::INTEGER, e.stream_offset::BIGINT, e.origin IS NOT DISTINCT FROM 'replay'
        {BelowCut} AND NOT e.is_valid AND e.enqueued_at >= make_timestamp($from) AND e.enqueued_at < make_timestamp($to)
        """;

    /// <exception cref="ArchiveFileException">A file can't be read.</exception>
    public async Task<Dictionary<FigureKey, FigureValues>> CountAsync(IReadOnlyList<ArchiveFile> files, long from, long to, IReadOnlyDictionary<StreamPartition, long> cut, CancellationToken cancellationToken)
    {
        var figures = new Dictionary<FigureKey, FigureValues>();
        await ReadAsync(files, from, to, cut, CountSql, isCount: true, reader =>
        {
            // A valid event's texts are kept by the metrics service as they are.
            var key = new FigureKey(reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.GetString(3));
            var values = new FigureValues(reader.GetInt64(4), Number(5), Number(6), Number(7));
            figures[key] = figures.TryGetValue(key, out var held) ? held.Plus(values) : values;

            decimal Number(int ordinal) => decimal.Parse(reader.GetString(ordinal), CultureInfo.InvariantCulture);
        }, cancellationToken);
        return figures;
    }

    /// <summary>Offsets of invalid events by partition, sorted, and whether each is a replay.</summary>
    /// <exception cref="ArchiveFileException">A file can't be read.</exception>
    public async Task<Dictionary<StreamPartition, List<(long Offset, bool IsReplay)>>> ListInvalidAsync(
        IReadOnlyList<ArchiveFile> files, long from, long to, IReadOnlyDictionary<StreamPartition, long> cut, CancellationToken cancellationToken)
    {
        var invalid = new Dictionary<StreamPartition, List<(long Offset, bool IsReplay)>>();
        await ReadAsync(files, from, to, cut, InvalidSql, isCount: false, reader =>
        {
            var partition = new StreamPartition(reader.GetString(0), reader.GetString(1), reader.GetInt32(2));
            if (!invalid.TryGetValue(partition, out var offsets))
                invalid.Add(partition, offsets = []);
            offsets.Add((reader.GetInt64(3), reader.GetBoolean(4)));
        }, cancellationToken);
        foreach (var offsets in invalid.Values)
            offsets.Sort();
        return invalid;
    }

    private async Task ReadAsync(
        IReadOnlyList<ArchiveFile> files, long from, long to, IReadOnlyDictionary<StreamPartition, long> cut, string sql, bool isCount, Action<DuckDBDataReader> row, CancellationToken cancellationToken)
    {
        foreach (var slice in ScanPlanner.Plan(files, from, to, options.Value))
        {
            using var turn = await engine.EnterAsync(export: true, cancellationToken);
            using var local = await cache.AcquireAsync(slice.Files, cancellationToken);
            await Task.Run(() => Read(slice, local, cut, sql, isCount, row, cancellationToken), cancellationToken);
        }
    }

    private void Read(ScanSlice slice, CachedFiles local, IReadOnlyDictionary<StreamPartition, long> cut, string sql, bool isCount, Action<DuckDBDataReader> row, CancellationToken cancellationToken)
    {
        using var connection = engine.OpenConnection();
        using var command = connection.CreateCommand();
        command.UseStreamingMode = true;
        command.CommandText = sql;
        Add("files", local.BlobNames.Keys.ToList());
        Add("streams", cut.Keys.Select(p => p.Stream).ToList());
        Add("logs", cut.Keys.Select(p => p.LogId).ToList());
        Add("partitions", cut.Keys.Select(p => p.PartitionId).ToList());
        Add("ends", cut.Values.ToList());
        Add("from", slice.From);
        Add("to", slice.To);
        if (isCount)
            Add("window", ReconciliationRequest.Window);
        using var interrupt = cancellationToken.UnsafeRegister(static command => ((DuckDBCommand)command!).Cancel(), command);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using var reader = (DuckDBDataReader)command.ExecuteReader();
            while (reader.Read())
                row(reader);
        }
        catch (DuckDBException exception) when (local.BlobNames.FirstOrDefault(f => exception.Message.Contains(f.Key, StringComparison.Ordinal)).Value is { } blob)
        {
            throw new ArchiveFileException(blob, $"The archive file {blob} can't be read as Parquet, although its bytes are those of the manifest.", exception);
        }

        void Add(string name, object value) => command.Parameters.Add(new DuckDBParameter(name, value));
    }
}

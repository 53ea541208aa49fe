using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Query.Lookup;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Query;

/// <summary>Finds the files that may hold events of a time range.</summary>
public sealed class ManifestReader(DatabaseTurns database)
{
    private const string TransactionOverlap = "(max_transaction_timestamp >= @from AND min_transaction_timestamp < @to)";
    private const string ValidOverlap = $"({TransactionOverlap} AND {ArchiveManifest.LatestValid} >= @from)";
    private const string ArrivalOverlap = "(max_enqueued_at >= @from AND min_enqueued_at < @to)";

    /// <summary>One consistent view, in no particular order: the files that are live at one moment.</summary>
    /// <param name="from">Microseconds since the Unix epoch, inclusive; null: from the first event on.</param>
    /// <param name="to">Exclusive; null: to the last event.</param>
    /// <param name="generation">The moment, as an earlier view told it; null: now.</param>
    /// <param name="order">The axis by which the files will be read, of which <see cref="ArchiveFile.Min"/> and <see cref="ArchiveFile.Max"/> are; null: that of the range.</param>
    /// <exception cref="ManifestViewGoneException">A file of that moment has been deleted since.</exception>
    public Task<ManifestView> FindAsync(TimeAxis axis, long? from, long? to, long? generation, CancellationToken cancellationToken, TimeAxis? order = null) =>
        database.ExecuteAsync((connection, token) => FindAsync(connection, axis, order ?? axis, from, to, generation, token), cancellationToken);

    /// <summary>The files that became live or ceased to be after a generation, with their times of arrival.</summary>
    /// <param name="since">0: all that there are.</param>
    internal Task<ManifestChanges> FindChangesAsync(long since, CancellationToken cancellationToken) =>
        database.ExecuteAsync((connection, token) => FindChangesAsync(connection, since, token), cancellationToken);

    /// <summary>
    /// How many files that may hold events of a range were given up at the end of their retention, and the latest time in them, on the axis, in microseconds since the Unix epoch.
    /// Retention goes by arrival: a time after it that an invalid event claims does not count, or one such event would stand in the way of every later range.
    /// </summary>
    /// <param name="from">Microseconds since the Unix epoch, inclusive.</param>
    /// <param name="to">Exclusive.</param>
    /// <param name="arrivedFrom">Of the files' times of arrival, inclusive; null: from the first event on.</param>
    /// <param name="arrivedBefore">Exclusive.</param>
    internal Task<(long Files, long Last)> CountDeletedAsync(TimeAxis axis, long from, long to, long? arrivedFrom, long arrivedBefore, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(
                    $"""
                    SELECT count(*), max({(axis == TimeAxis.Arrival ? "max_enqueued_at" : ArchiveManifest.LatestValid)}) FROM raw_event_files
                    WHERE gone_state IN ('deleting', 'deleted') AND row_count > 0 AND {Overlap(axis, ValidOverlap)} AND max_enqueued_at >= @arrived_from AND min_enqueued_at < @arrived_before
                    """,
                    connection);
                AddRange(command, from, to);
                command.Parameters.Add(Moment("arrived_from", arrivedFrom, DateTime.MinValue));
                command.Parameters.Add(Moment("arrived_before", arrivedBefore, DateTime.MaxValue));
                await using var reader = await command.ExecuteReaderAsync(token);
                await reader.ReadAsync(token);
                return (reader.GetInt64(0), reader.IsDBNull(1) ? 0 : Timestamps.ToMicros(reader.GetDateTime(1)));
            },
            cancellationToken);

    /// <summary>For what was not found: a sentence with a space before it, where files were given up that may have had it; else nothing.</summary>
    internal async Task<string> TellDeletedAsync(CancellationToken cancellationToken) =>
        await CountDeletedAsync(TimeAxis.Arrival, long.MinValue, long.MaxValue, null, long.MaxValue, cancellationToken) is (> 0 and var files, var last)
            ? $" {Counted.Of(files, "archive file")} with arrivals up to {EventJson.Format(Timestamps.ToDateTime(last))} {(files == 1 ? "was" : "were")} deleted at the end of retention, and it may have been there."
            : "";

    /// <summary>The condition on a row <c>f</c> of <c>raw_event_files</c> that its file was live at a moment, by the parameter <c>generation</c>; without one: that it is now.</summary>
    internal static string Readable(long? generation) =>
        generation is null ? "f.state = 'live'" : "((f.state = 'live' OR f.gone_generation > @generation) AND f.live_generation <= @generation)";

    /// <param name="state">Of a file that was live at the moment.</param>
    /// <exception cref="ManifestViewGoneException">It can't be read any more.</exception>
    internal static void ThrowIfGone(string state)
    {
        if (state is not (ManifestState.Live or ManifestState.Superseded))
            throw new ManifestViewGoneException();
    }

    private static async Task<ManifestChanges> FindChangesAsync(NpgsqlConnection connection, long since, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT g.generation, f.state, f.blob_name, f.row_count, f.byte_size, f.sha256, f.min_enqueued_at, f.max_enqueued_at
            FROM raw_event_generation g
            LEFT JOIN raw_event_files f ON f.changed_generation > $1 AND f.row_count > 0 AND f.min_enqueued_at IS NOT NULL AND ($1 > 0 OR f.state = 'live')
            """,
            connection)
        {
            Parameters = { new() { Value = since } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var generation = since;
        var files = new List<(ArchiveFile, bool)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            generation = reader.GetInt64(0);
            if (!reader.IsDBNull(1))
                files.Add((ReadFile(reader), reader.GetString(1) == ManifestState.Live));
        }

        return new(generation, files);
    }

    private static ArchiveFile ReadFile(NpgsqlDataReader reader) => new(
        reader.GetString(2),
        reader.GetInt64(3),
        reader.GetInt64(4),
        Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(5)),
        Timestamps.ToMicros(reader.GetDateTime(6)),
        Timestamps.ToMicros(reader.GetDateTime(7)));

    private static async Task<ManifestView> FindAsync(NpgsqlConnection connection, TimeAxis axis, TimeAxis order, long? from, long? to, long? generation, CancellationToken cancellationToken)
    {
        var (min, max) = Bounds(order);
        await using var command = new NpgsqlCommand(
            $"""
            SELECT g.generation, f.state, f.blob_name, f.row_count, f.byte_size, f.sha256, {min}, {max}
            FROM raw_event_generation g
            LEFT JOIN raw_event_files f ON {Readable(generation)} AND f.row_count > 0 AND {Overlap(axis)}
            """,
            connection);
        if (generation is not null)
            command.Parameters.Add(new("generation", generation));
        AddRange(command, from, to);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<ArchiveFile>();
        while (await reader.ReadAsync(cancellationToken))
        {
            generation ??= reader.GetInt64(0);
            if (reader.IsDBNull(1))
                break;
            ThrowIfGone(reader.GetString(1));
            files.Add(ReadFile(reader));
        }

        return new(files, generation!.Value);
    }

    /// <summary>Whether a file may hold events of the range, in SQL.</summary>
    /// <param name="byTransaction">By what its transaction times are compared where invalid events are meant as well.</param>
    private static string Overlap(TimeAxis axis, string byTransaction = TransactionOverlap) => axis switch
    {
        TimeAxis.Transaction => byTransaction,
        TimeAxis.ValidTransaction => ValidOverlap,
        TimeAxis.Arrival => ArrivalOverlap,
        _ => $"({byTransaction} OR (valid_count IS DISTINCT FROM row_count AND {ArrivalOverlap}))",
    };

    /// <summary>The times of a file's first and last event, in SQL.</summary>
    internal static (string Min, string Max) Bounds(TimeAxis axis) => axis switch
    {
        TimeAxis.Transaction => ("min_transaction_timestamp", "max_transaction_timestamp"),
        TimeAxis.ValidTransaction => ("min_transaction_timestamp", ArchiveManifest.LatestValid),
        TimeAxis.Arrival => ("min_enqueued_at", "max_enqueued_at"),
        // LEAST and GREATEST leave nulls out.
        _ => ("LEAST(min_transaction_timestamp, min_enqueued_at)", "GREATEST(max_transaction_timestamp, max_enqueued_at)"),
    };

    private static void AddRange(NpgsqlCommand command, long? from, long? to)
    {
        command.Parameters.Add(Moment("from", from, DateTime.MinValue));
        command.Parameters.Add(Moment("to", to, DateTime.MaxValue));
    }

    private static NpgsqlParameter Moment(string name, long? micros, DateTime otherwise) => new(name, NpgsqlDbType.TimestampTz) { Value = micros is { } m ? Timestamps.ToDateTime(m) : otherwise };
}

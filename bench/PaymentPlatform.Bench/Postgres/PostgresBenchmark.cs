using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Bench.Inputs;
using PaymentPlatform.Events;
using PaymentPlatform.LocalInfrastructure;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;
using PaymentPlatform.Streaming.Postgres;

namespace PaymentPlatform.Bench.Postgres;

/// <summary>
/// `postgres`: what we write to PostgreSQL, each step committed, beside bare COPY (binary) of the same rows into a table of the same shape: columns, indexes, storage, partitions; one COPY a step. They take turns, so that a noisy machine hits all.
/// </summary>
internal static class PostgresBenchmark
{
    private const int Partitions = 4;
    private const int EventsPerAppend = 1_000;
    private const int EventsPerCommit = 5_000;
    private const long Budget = long.MaxValue;

    public static async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var directory = Directory.CreateTempSubdirectory("platform-bench-").FullName;
        try
        {
            await using var platform = await LocalPlatform.StartAsync(new() { DataDirectory = directory }, CancellationToken.None);
            await using var database = NpgsqlDataSource.Create(platform.DatabaseConnectionString);
            await DatabaseMigrator.MigrateAsync(database, NullLogger.Instance, CancellationToken.None);
            await using var connection = await database.OpenConnectionAsync();
            await ExecuteAsync(connection, PeerTables);
            using var events = new EventFile(arguments.Number("events", 200_000));
            var (appended, bareAppended) = await AppendAsync(database, connection, events);
            var (hits, inserted, bareInserted, plainInserted) = await InsertAsync(connection, events);
            return
            [
                new("postgres: stream append of 1,000 events, encoded before", events.Count / appended.TotalSeconds, events.Count / bareAppended.TotalSeconds, "events/s"),
                new("postgres: rule hits of 5,000 events", hits / inserted.TotalSeconds, hits / bareInserted.TotalSeconds, "rows/s"),
                new("postgres: the same; peer's table without partitions", hits / inserted.TotalSeconds, hits / plainInserted.TotalSeconds, "rows/s"),
            ];
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>LIKE leaves out storage parameters and partitions.</summary>
    private const string PeerTables = """
        CREATE TABLE bare_batches (LIKE stream_batches INCLUDING ALL);
        CREATE TABLE bare_hits (LIKE dynamic_metrics INCLUDING ALL) PARTITION BY RANGE (event_time);
        CREATE TABLE plain_hits (LIKE dynamic_metrics INCLUDING ALL);
        DO $$
        DECLARE
          v_part record;
        BEGIN
          FOR v_part IN
            SELECT c.relname, c.reloptions, pg_get_expr(c.relpartbound, c.oid) AS bound
            FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
            WHERE c.oid = 'stream_batches'::regclass OR i.inhparent = 'dynamic_metrics'::regclass
          LOOP
            IF v_part.bound IS NOT NULL THEN
              EXECUTE format('CREATE TABLE %I PARTITION OF bare_hits %s', 'bare_' || v_part.relname, v_part.bound);
            END IF;
            IF v_part.reloptions IS NOT NULL THEN
              EXECUTE format('ALTER TABLE %I SET (%s)', CASE WHEN v_part.bound IS NULL THEN 'bare_batches' ELSE 'bare_' || v_part.relname END, array_to_string(v_part.reloptions, ', '));
            END IF;
          END LOOP;
        END $$;
        """;

    private static async Task<(TimeSpan Ours, TimeSpan Bare)> AppendAsync(NpgsqlDataSource database, NpgsqlConnection connection, EventFile events)
    {
        var stream = await new PostgresStreamAdmin(database).CreateAsync("bench", Partitions, CancellationToken.None);
        var (ours, bare) = (TimeSpan.Zero, TimeSpan.Zero);
        var next = new long[Partitions];
        using var lines = new LineFile(events.Path);
        for (var group = Read(lines); group.Messages > 0; group = Read(lines))
        {
            var batches = group.Encode(Partitions);
            var began = Stopwatch.GetTimestamp();
            await PublishGroup.AppendAsync(connection, stream.LogId, Budget, [], batches, CancellationToken.None);
            ours += Stopwatch.GetElapsedTime(began);

            began = Stopwatch.GetTimestamp();
            await using (var copy = await connection.BeginBinaryImportAsync("COPY bare_batches (log_id, partition_id, first_offset, next_offset, enqueued_at, uncompressed_bytes, payload) FROM STDIN (FORMAT binary)"))
            {
                foreach (var batch in batches)
                {
                    await copy.StartRowAsync();
                    await copy.WriteAsync(stream.LogId, NpgsqlDbType.Text);
                    await copy.WriteAsync(batch.Partition, NpgsqlDbType.Integer);
                    await copy.WriteAsync(next[batch.Partition], NpgsqlDbType.Bigint);
                    await copy.WriteAsync(next[batch.Partition] += batch.Count, NpgsqlDbType.Bigint);
                    await copy.WriteAsync(DateTime.UtcNow, NpgsqlDbType.TimestampTz);
                    await copy.WriteAsync(batch.UncompressedBytes, NpgsqlDbType.Integer);
                    await copy.WriteAsync(batch.Payload, NpgsqlDbType.Bytea);
                }

                await copy.CompleteAsync();
            }

            bare += Stopwatch.GetElapsedTime(began);
            Array.ForEach(batches, batch => batch.Return());
        }

        await SameAsync(connection, "stream_batches", "bare_batches", "(sum(next_offset - first_offset), sum(uncompressed_bytes), sum(length(payload)))::text");
        return (ours, bare);
    }

    private static PublishGroup Read(LineFile lines)
    {
        var messages = new List<Message>(EventsPerAppend);
        while (messages.Count < EventsPerAppend && lines.TryRead(out var line))
            messages.Add(new(line.ToArray(), Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString()), default, line.Slice(20, 36).ToArray(), MessageHeaders.Empty));
        var group = new PublishGroup();
        if (messages.Count > 0)
            group.TryAdd(new(messages.ToArray(), [], 0));
        return group;
    }

    private static async Task<(long Rows, TimeSpan Ours, TimeSpan Bare, TimeSpan Plain)> InsertAsync(NpgsqlConnection connection, EventFile events)
    {
        var parser = new TransactionParser(new() { CardData = CardDataMode.Mask });
        var evaluator = new RuleEvaluator(RuleSet.Starter);
        var (state, output, partition) = (new PartitionRuleState(evaluator.RuleSet), new RuleOutput(), new StreamPartition("bench", "bench", 0));
        var (rows, ours, bare, plain) = (0L, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        using var lines = new LineFile(events.Path);
        for (long offset = 0; offset < events.Count; output.Clear())
        {
            for (var end = offset + EventsPerCommit; offset < end && lines.TryRead(out var line); offset++)
            {
                var result = parser.Parse(line, EventFile.LaterMicros);
                if (result.IsValid)
                    evaluator.Evaluate(state, result, offset, EventFile.LaterMicros, output);
            }

            PositionedHit[] hits = [.. output.Hits.Select(hit => new PositionedHit(partition, hit))];
            rows += hits.Length;
            var began = Stopwatch.GetTimestamp();
            await using (var transaction = await connection.BeginTransactionAsync())
            {
                await HitTable.InsertAsync(transaction, hits, CancellationToken.None);
                await transaction.CommitAsync();
            }

            ours += Stopwatch.GetElapsedTime(began);
            began = Stopwatch.GetTimestamp();
            await CopyAsync(connection, "bare_hits", hits);
            bare += Stopwatch.GetElapsedTime(began);
            began = Stopwatch.GetTimestamp();
            await CopyAsync(connection, "plain_hits", hits);
            plain += Stopwatch.GetElapsedTime(began);
        }

        const string contents = "(count(*), sum(metric_value), sum(length(metric_data::text)))::text";
        await SameAsync(connection, "dynamic_metrics", "bare_hits", contents);
        await SameAsync(connection, "dynamic_metrics", "plain_hits", contents);
        return (rows, ours, bare, plain);
    }

    private static async Task CopyAsync(NpgsqlConnection connection, string table, PositionedHit[] hits)
    {
        await using var copy = await connection.BeginBinaryImportAsync($"""
            COPY {table} (event_time, rule_name, stream, log_id, partition_id, stream_offset, rule_version, metric_type, transaction_id, correlation_id, metric_value, metric_data) FROM STDIN (FORMAT binary)
            """);
        foreach (var (partition, hit) in hits)
        {
            await copy.StartRowAsync();
            await copy.WriteAsync(DateTime.UnixEpoch.AddTicks(hit.EventMicros * TimeSpan.TicksPerMicrosecond), NpgsqlDbType.TimestampTz);
            await copy.WriteAsync(hit.Rule.Name, NpgsqlDbType.Text);
            await copy.WriteAsync(partition.Stream, NpgsqlDbType.Text);
            await copy.WriteAsync(partition.LogId, NpgsqlDbType.Text);
            await copy.WriteAsync(partition.PartitionId, NpgsqlDbType.Integer);
            await copy.WriteAsync(hit.Offset, NpgsqlDbType.Bigint);
            await copy.WriteAsync(RuleNames.Version(hit.Rule.Version), NpgsqlDbType.Text);
            await copy.WriteAsync(RuleNames.Type(hit.Rule.MetricType), NpgsqlDbType.Text);
            await copy.WriteAsync(hit.TransactionId, NpgsqlDbType.Text);
            await copy.WriteAsync(hit.CorrelationId, NpgsqlDbType.Text);
            await copy.WriteAsync(hit.Value, NpgsqlDbType.Numeric);
            await copy.WriteAsync(hit.Data, NpgsqlDbType.Jsonb);
        }

        await copy.CompleteAsync();
    }

    /// <exception cref="InvalidOperationException">The tables differ.</exception>
    private static async Task SameAsync(NpgsqlConnection connection, string table, string bare, string what)
    {
        await using var command = new NpgsqlCommand($"SELECT (SELECT {what} FROM {table}) = (SELECT {what} FROM {bare})", connection);
        if (!true.Equals(await command.ExecuteScalarAsync()))
            throw new InvalidOperationException($"{table} and {bare} hold different rows.");
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

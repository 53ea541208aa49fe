using System.Globalization;
using Npgsql;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Storage.Database.Rules;

namespace PaymentPlatform.Faults.Scenarios;

/// <summary>Carries the schedule out.</summary>
internal sealed class FaultInjector(RunPlace place, Cluster cluster)
{
    /// <summary>PostgreSQL's own answer to a full disk, where consumers and producers write.</summary>
    private const string FullDiskSql = """
        CREATE TABLE fault_disk (is_full boolean NOT NULL);
        INSERT INTO fault_disk VALUES (false);
        CREATE FUNCTION fault_disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF (SELECT is_full FROM fault_disk) THEN
            RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
          END IF;
          RETURN NULL;
        END $$;
        DO $$
        DECLARE t text;
        BEGIN
          FOREACH t IN ARRAY ARRAY['stream_batches', 'stream_checkpoints', 'raw_event_files', 'raw_event_ranges', 'payment_metrics_5m', 'metric_deltas', 'failed_items', 'ingest_idempotency'] LOOP
            EXECUTE format('CREATE TRIGGER fault_disk AFTER INSERT OR UPDATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION fault_disk_full()', t);
          END LOOP;
        END $$;
        """;

    /// <summary>Parameter: how much earlier the stream says that events came.</summary>
    private const string EarlierSql = """
        CREATE FUNCTION fault_earlier() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          NEW.enqueued_at := NEW.enqueued_at - interval '{0} seconds';
          RETURN NEW;
        END $$;
        CREATE TRIGGER fault_earlier BEFORE INSERT ON stream_batches FOR EACH ROW EXECUTE FUNCTION fault_earlier();
        """;

    /// <summary>Parameter: events of a replay's append at most.</summary>
    private const string ReplayChunkSql = """
        CREATE FUNCTION fault_replay_chunk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          NEW.chunk_events := least(NEW.chunk_events, {0});
          RETURN NEW;
        END $$;
        CREATE TRIGGER fault_replay_chunk BEFORE INSERT ON replays FOR EACH ROW EXECUTE FUNCTION fault_replay_chunk();
        """;

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (place.Scenario.Enabled.Contains(FaultKind.DatabaseFull))
            await place.ExecuteAsync(FullDiskSql, cancellationToken);
        if (!place.Scenario.HasRules)
        {
            await using var connection = await place.Database.OpenConnectionAsync(cancellationToken);
            await RuleVersionStore.AddAsync(connection, Scenario.NoRules, "faults", note: null, onlyFirst: true, cancellationToken);
        }

        if (place.Scenario.Earlier > TimeSpan.Zero)
            await place.ExecuteAsync(string.Format(CultureInfo.InvariantCulture, EarlierSql, place.Scenario.Earlier.TotalSeconds), cancellationToken);
        if (place.Scenario.Instances[InstanceRole.Desk] > 0)
            await place.ExecuteAsync(string.Format(CultureInfo.InvariantCulture, ReplayChunkSql, place.Scenario.ReplayChunk), cancellationToken);
    }

    /// <summary>Ends with the schedule.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var started = System.Diagnostics.Stopwatch.StartNew();
        foreach (var fault in place.Scenario.Schedule)
        {
            if (fault.At > started.Elapsed)
                await Task.Delay(fault.At - started.Elapsed, cancellationToken);
            await InjectAsync(fault, cancellationToken);
        }
    }

    private async Task InjectAsync(TimedFault fault, CancellationToken cancellationToken)
    {
        place.Log.Add("fault", $"{fault.Kind} {fault.Role}-{fault.Slot} {fault.Duration}");
        switch (fault.Kind)
        {
            case FaultKind.InstanceAdded:
                cluster.Add(fault.Role);
                break;
            case FaultKind.DatabaseFull:
                await place.ExecuteAsync("UPDATE fault_disk SET is_full = true", cancellationToken);
                await Task.Delay(fault.Duration, cancellationToken);
                await place.ExecuteAsync("UPDATE fault_disk SET is_full = false", cancellationToken);
                break;
            case FaultKind.BlobLost:
                var names = await place.QueryAsync("SELECT blob_name FROM raw_event_files WHERE state = 'live' ORDER BY file_id", r => r.GetString(0), cancellationToken);
                if (names.Count == 0)
                    return;
                await place.Blobs.DeleteBlobIfExistsAsync(names[(int)(fault.Duration.TotalMilliseconds % names.Count)], cancellationToken: cancellationToken);
                break;
            case FaultKind.DatabaseRestart:
                await CrashAsync(cancellationToken);
                break;
            default:
                if (cluster.Slot(fault.Role, fault.Slot).Current is not { } instance)
                    return;
                switch (fault.Kind)
                {
                    case FaultKind.Kill:
                        _ = instance.Kill();
                        break;
                    case FaultKind.InstanceStopped:
                        _ = instance.StopAsync();
                        break;
                    case FaultKind.Pause:
                        instance.Pause(fault.Duration);
                        break;
                    case FaultKind.StaleOwner or FaultKind.BlockedSuccessor:
                        // Counted when it comes to it.
                        instance.PauseForTakeover(fault.Kind, fault.Duration);
                        return;
                    case FaultKind.CutAll:
                        instance.CutAll();
                        break;
                    case FaultKind.DatabaseSlow:
                        instance.Slow(fault.Duration);
                        break;
                    case FaultKind.ClockJump:
                        instance.Jump(fault.Duration);
                        break;
                }

                break;
        }

        place.Tally.Add(fault.Kind);
    }

    /// <summary>A backend that is killed makes the server end all others and recover from its log, as after an immediate stop.</summary>
    private async Task CrashAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var command = place.Database.CreateCommand("COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'");
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (NpgsqlException)
        {
            // This was the backend.
        }
    }
}

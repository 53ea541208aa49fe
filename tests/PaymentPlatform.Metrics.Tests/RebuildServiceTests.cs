using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Metrics.Deltas;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

/// <summary>Rebuilds that meet faults: real ones of the database, raised by triggers.</summary>
public sealed class RebuildServiceTests(PlatformFixture platform)
{
    private static readonly byte[][] Payloads = [.. Enumerable.Range(0, 50).Select(i => Encoding.UTF8.GetBytes(TestEvents.Event($"tx-{i}", TestEvents.Enqueued.AddMinutes(-i), $"{i + 1}.25")))];

    [Fact]
    public async Task Run_ArchivedEvents_FiguresComeFromThem()
    {
        await using var host = await RebuildHost.CreateAsync(platform);
        await host.ArchiveAsync(0, 0, Payloads[..30]);
        await host.ArchiveAsync(0, 30, Payloads[30..]);
        await host.StartAsync(platform);

        await host.IsAsync(await host.AskAsync(), "done");

        Assert.Equal(TestEvents.Figures(Payloads), await host.Database.FiguresAsync());
    }

    [Fact]
    public async Task Run_RetentionDeletedAFileOfTheRange_IsRefusedAndTheOldFiguresStay()
    {
        await using var host = await RebuildHost.CreateAsync(platform);
        await host.ArchiveAsync(0, 0, Payloads[..30]);
        await host.ArchiveAsync(0, 30, Payloads[30..]);
        await host.StartAsync(platform);
        await host.IsAsync(await host.AskAsync(), "done");
        // As the archiver's retention does.
        await host.ExecuteAsync("""
            WITH gone AS (UPDATE raw_event_files SET state = 'deleting' WHERE file_id = (SELECT min(file_id::text)::uuid FROM raw_event_files) RETURNING file_id)
            UPDATE raw_event_ranges SET live = false WHERE file_id IN (SELECT file_id FROM gone)
            """);

        var id = await host.AskAsync();
        await host.IsAsync(id, "failed");

        Assert.Contains("1 archive files of the range", await host.ScalarAsync<string>($"SELECT error FROM metric_rebuilds WHERE id = {id}"), StringComparison.Ordinal);
        Assert.Equal(TestEvents.Figures(Payloads), await host.Database.FiguresAsync());
    }

    [Fact]
    public async Task Run_RetentionDeletedAFileWithAnInvalidEventOfTheRange_IsDone()
    {
        await using var host = await RebuildHost.CreateAsync(platform);
        await host.ArchiveAsync(0, 0, Payloads[..30]);
        await host.ArchiveAsync(0, 30, Payloads[30..]);
        // The first file is years older by now, but an invalid event in it claims a time of the future.
        await host.ExecuteAsync("""
            WITH gone AS (
              UPDATE raw_event_files SET state = 'deleting', min_enqueued_at = min_enqueued_at - interval '2 years', max_enqueued_at = max_enqueued_at - interval '2 years',
                min_transaction_timestamp = min_transaction_timestamp - interval '2 years', max_transaction_timestamp = '2047-01-01'
              WHERE file_id = (SELECT min(file_id::text)::uuid FROM raw_event_files) RETURNING file_id)
            UPDATE raw_event_ranges SET live = false WHERE file_id IN (SELECT file_id FROM gone)
            """);
        await host.StartAsync(platform);
        await host.IsAsync(await host.AskAsync(), "done");
    }

    [Theory]
    [InlineData("NEW.state = 'running' AND OLD.state <> 'running'")]
    [InlineData("NEW.phase = 'computing'")]
    [InlineData("NEW.state = 'done'")]
    public async Task Run_DatabaseRefuses_FailsAtOnceWithTheReason(string when)
    {
        await using var host = await RebuildHost.CreateAsync(platform);
        await host.ArchiveAsync(0, 0, Payloads);
        await RaiseAsync(host, when, "42501");
        await host.StartAsync(platform);

        var id = await host.AskAsync();
        await host.IsAsync(id, "failed");

        Assert.Contains("42501: not today", await host.ScalarAsync<string>($"SELECT error FROM metric_rebuilds WHERE id = {id}"), StringComparison.Ordinal);
        Assert.InRange(await host.ScalarAsync<int>($"SELECT attempts FROM metric_rebuilds WHERE id = {id}"), 0, 1);
        Assert.Empty(await host.Database.FiguresAsync());
        await Eventually.TrueAsync(async () => await host.ScalarAsync<long>("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'") == 0, "the staging tables go");
    }

    [Fact]
    public async Task Run_FaultThatCouldPassDoesNot_IsGivenUpAlsoAcrossRestarts()
    {
        await using var host = await RebuildHost.CreateAsync(platform);
        await host.ArchiveAsync(0, 0, Payloads);
        await RaiseAsync(host, "NEW.phase = 'computing'", "40001");
        await host.StartAsync(platform);
        var id = await host.AskAsync();
        for (var faults = 1; faults <= 4; faults++)
        {
            await Eventually.TrueAsync(async () => await host.ScalarAsync<int>($"SELECT faults FROM metric_rebuilds WHERE id = {id}") == faults, $"fault {faults}");
            Assert.Equal("waiting", await host.StateAsync(id));
            Assert.Contains("40001: not today", await host.ScalarAsync<string>($"SELECT error FROM metric_rebuilds WHERE id = {id}"), StringComparison.Ordinal);
            Assert.True(await host.ScalarAsync<double>($"SELECT extract(epoch FROM retry_at - clock_timestamp())::float8 FROM metric_rebuilds WHERE id = {id}") > 5, "It waits longer than a moment.");
            if (faults == 2)
                await host.StartAsync(platform);
            await host.ExecuteAsync($"UPDATE metric_rebuilds SET retry_at = clock_timestamp() WHERE id = {id}");
        }

        await host.IsAsync(id, "failed");

        Assert.Contains("5 attempts", await host.ScalarAsync<string>($"SELECT error FROM metric_rebuilds WHERE id = {id}"), StringComparison.Ordinal);
        Assert.Equal(5, await host.ScalarAsync<int>($"SELECT attempts FROM metric_rebuilds WHERE id = {id}"));
        Assert.Empty(await host.Database.FiguresAsync());
    }

    [Fact]
    public async Task Run_FaultPasses_IsDoneAtTheNextAttemptAndOthersDoNotWaitForIt()
    {
        await using var host = await RebuildHost.CreateAsync(platform);
        await host.ArchiveAsync(0, 0, Payloads);
        var (first, second) = (await host.AskAsync(), await host.AskAsync());
        await RaiseAsync(host, $"NEW.phase = 'computing' AND NEW.id = {first}", "40001");
        await host.StartAsync(platform);

        await host.IsAsync(second, "done");
        Assert.Equal("waiting", await host.StateAsync(first));
        await host.ExecuteAsync($"DROP TRIGGER fault ON metric_rebuilds; UPDATE metric_rebuilds SET retry_at = clock_timestamp() WHERE id = {first}");
        await host.IsAsync(first, "done");

        Assert.Equal(0L, await host.ScalarAsync<long>("SELECT count(error) FROM metric_rebuilds"));
        Assert.Equal(TestEvents.Figures(Payloads), await host.Database.FiguresAsync());
    }

    [Fact]
    public async Task Run_RulesFailOnEvents_CountsThemAndLogsTheFirst()
    {
        await using var host = await RebuildHost.CreateAsync(platform);
        // Valid when it was archived, not valid for this version.
        var refused = Enumerable.Range(0, 30).Select(i => Encoding.UTF8.GetBytes(TestEvents.Event($"old-{i}", TestEvents.Enqueued, "7", currency: "dollars"))).ToList();
        await host.ArchiveAsync(0, 0, [.. Payloads, .. refused]);
        await host.StartAsync(platform);

        var id = await host.AskAsync();
        await host.IsAsync(id, "done");

        Assert.Equal(30L, await host.ScalarAsync<long>($"SELECT rule_failures FROM metric_rebuilds WHERE id = {id}"));
        Assert.Equal(Enumerable.Range(50, 10), host.Log.Lines.Select(line => Regex.Match(line.Text, @"The rules failed on the archived event at payments/log-1/0 offset (\d+)")).Where(m => m.Success).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)));
        Assert.Equal(1, host.Log.Count(LogLevel.Error, "failed on 30 of its events"));
        Assert.Equal(80L, (await host.Database.FiguresAsync()).Sum(f => f.Count));
    }

    [Fact]
    public async Task Run_MergeWaits_HoldsNoFiguresThatCommitsNeed()
    {
        await using var host = await RebuildHost.CreateAsync(platform);
        await host.ArchiveAsync(0, 0, Payloads);
        // The rebuild stops at its first histogram until the test lets go of the lock.
        await host.ExecuteAsync("CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$");
        await host.ExecuteAsync("""
            CREATE FUNCTION prepare() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF to_regclass('rebuild_1_1.aggregate_histograms') IS NOT NULL THEN
                EXECUTE 'CREATE OR REPLACE TRIGGER hold BEFORE INSERT ON rebuild_1_1.aggregate_histograms FOR EACH STATEMENT EXECUTE FUNCTION public.hold_up()';
              END IF;
              RETURN NEW;
            END $$;
            CREATE TRIGGER prepare BEFORE UPDATE ON metric_rebuilds FOR EACH ROW WHEN (NEW.phase = 'computing') EXECUTE FUNCTION prepare();
            """);
        await using var door = await host.Database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using (var take = new NpgsqlCommand("SELECT pg_advisory_lock(4711)", door))
            await take.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await host.StartAsync(platform);
        var id = await host.AskAsync();

        await Eventually.TrueAsync(async () => await host.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 4711") == 1, "the merge waits");

        Assert.Equal(
            0L,
            await host.ScalarAsync<long>("""
                SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                WHERE c.relname = 'payment_metrics_5m' AND c.relnamespace = 'rebuild_1_1'::regnamespace AND l.mode = 'RowExclusiveLock'
                """));
        await using (var let = new NpgsqlCommand("SELECT pg_advisory_unlock(4711)", door))
            await let.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await host.IsAsync(id, "done");
        Assert.Equal(TestEvents.Figures(Payloads), await host.Database.FiguresAsync());
    }

    [Fact]
    public async Task Run_CommitsHaveWrittenToStaging_IsFoldedBeforeCommitsAreHeldUp()
    {
        await using var host = await RebuildHost.CreateAsync(platform);
        await host.ArchiveAsync(0, 0, Payloads);
        var delta = new MetricDelta();
        delta.AddEvent(delta.IdOf(new(TestEvents.EnqueuedMicros, "credit_card", "USD", "completed")), 10_000, 0, "C1"u8, "M1"u8, "DE"u8, 1);
        await using var door = await host.Database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using (var transaction = await door.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await DeltaFolder.TryLockAsync(transaction, CancellationToken.None);
            await using (var connection = await host.Database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken))
            await using (var append = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken))
            {
                await DeltaTables.AppendAsync(append, delta, CancellationToken.None);
                await append.CommitAsync(TestContext.Current.CancellationToken);
            }

            // As commits do while the rebuild runs.
            await host.ExecuteAsync("""
                CREATE FUNCTION append() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                  INSERT INTO rebuild_1_1.metric_deltas (payload) SELECT payload FROM public.metric_deltas, generate_series(1, 500);
                  RETURN NEW;
                END $$;
                CREATE TRIGGER append BEFORE UPDATE ON metric_rebuilds FOR EACH ROW WHEN (NEW.phase = 'computing' AND OLD.phase <> 'computing') EXECUTE FUNCTION append();
                """);
            await host.StartAsync(platform);
            await host.AskAsync();
            await Eventually.TrueAsync(async () => await host.ScalarAsync<long>($"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = {DeltaFolder.LockKey & 0xFFFFFFFF}") == 1, "the rebuild is at the swap");

            Assert.Equal((0L, 1L), (await host.ScalarAsync<long>("SELECT count(*) FROM rebuild_1_1.metric_deltas"), await host.ScalarAsync<long>("SELECT count(*) FROM metric_deltas")));
        }

        await host.IsAsync(1, "done");
        Assert.Equal(TestEvents.Figures(Payloads), await host.Database.FiguresAsync());
    }

    [Fact]
    public async Task Run_SwapTakesTooLong_FailsAndCommitsGoOn()
    {
        await using var host = await RebuildHost.CreateAsync(platform);
        await host.ArchiveAsync(0, 0, Payloads);
        await host.ExecuteAsync("""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
            CREATE TRIGGER slow BEFORE INSERT ON payment_metrics_5m FOR EACH ROW EXECUTE FUNCTION slow();
            """);
        await host.StartAsync(platform, ("Metrics:RebuildSwapTimeout", "00:00:01"));

        var id = await host.AskAsync();
        await host.IsAsync(id, "failed");

        Assert.Contains("Metrics:RebuildSwapTimeout", await host.ScalarAsync<string>($"SELECT error FROM metric_rebuilds WHERE id = {id}"), StringComparison.Ordinal);
        Assert.Empty(await host.Database.FiguresAsync());
        // Takes the checkpoint.
        await host.ArchiveAsync(0, Payloads.Length, Payloads);
    }

    /// <summary>From now on, changes of rebuilds that fulfil the condition fail.</summary>
    private static Task RaiseAsync(RebuildHost host, string when, string state) => host.ExecuteAsync(
        $"""
        CREATE FUNCTION raise_fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = '{state}'; END $$;
        CREATE TRIGGER fault BEFORE UPDATE ON metric_rebuilds FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION raise_fault();
        """);
}

using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Database.Checkpoints;
using static PaymentPlatform.Streaming.ConsumerEvent;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>What the loop does, in order, on a virtual clock: no I/O.</summary>
public sealed class ArchiveLoopTests
{
    private static readonly StreamPartition P0 = new("payments", "log", 0);
    private static readonly StreamPartition P1 = new("payments", "log", 1);
    private static readonly DateTimeOffset Noon = new(2025, 12, 5, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _clock = new(Noon);
    private readonly ActionLog _log;
    private readonly ScriptedConsumer _consumer;
    private readonly ScriptedFlusher _flusher;
    private readonly ArchiverOptions _options = new() { FlushRows = 100, FlushAge = TimeSpan.FromSeconds(30) };

    public ArchiveLoopTests()
    {
        _log = new(_clock);
        _consumer = new(_clock, _log);
        _flusher = new(_log);
    }

    [Fact]
    public async Task Run_NothingArrives_WritesNothing()
    {
        _consumer.At(0, new Assigned(P0, 0)).At(3600, () => { });
        Assert.Equal(["3600: stop", "3600: release 0"], await RunAsync());
    }

    [Fact]
    public async Task Run_FewEvents_FlushesByAgeOfTheFirst()
    {
        _consumer.At(0, new Assigned(P0, 7)).At(1, Events(P0, 7, 9)).At(29, Events(P0, 9, 10)).At(40, Events(P0, 10, 11)).At(100, () => { });
        Assert.Equal(["31: flush 3 0[7,10) Age", "31: live", "70: flush 1 0[10,11) Age", "70: live", "100: stop", "100: release 0"], await RunAsync());
    }

    [Fact]
    public async Task Run_RowsReached_CutsTheBatchAtTheLimit()
    {
        _consumer.At(0, new Assigned(P0, 0)).At(1, Events(P0, 0, 250));
        Assert.Equal(["1: flush 100 0[0,100) Rows", "1: live", "1: flush 100 0[100,200) Rows", "1: live", "31: flush 50 0[200,250) Age", "31: live", "31: stop", "31: release 0"], await RunAsync());
    }

    [Fact]
    public async Task Run_BytesReached_Flushes()
    {
        _options.FlushBytes = 64 << 10;
        _consumer.At(0, new Assigned(P0, 0)).At(1, Events(P0, 0, 90, bodyBytes: 4096));
        var first = (await RunAsync())[0];
        Assert.EndsWith("Bytes", first);
        var rows = int.Parse(first.Split(' ')[2]);
        // Never more than the limit and the event that reached it.
        Assert.InRange(rows, 4, 17);
    }

    [Fact]
    public async Task Run_SeveralPartitions_ShareOneFile()
    {
        _consumer.At(0, new Assigned(P1, 5)).At(0, new Assigned(P0, 0)).At(1, Events(P1, 5, 8)).At(2, Events(P0, 0, 4)).At(3, Events(P1, 8, 9)).At(60, () => { });
        Assert.Equal(["31: flush 8 0[0,4) 1[5,9) Age", "31: live", "60: stop", "60: release 0", "60: release 1"], await RunAsync());
    }

    [Fact]
    public async Task Run_HolesOnly_MovesTheCheckpointByAge()
    {
        _consumer.At(0, new Assigned(P0, 0)).At(1, new Received(new TestBatch(P0, 0, 12, []))).At(60, () => { });
        Assert.Equal(["31: flush 0 0[0,12) Age", "31: live", "60: stop", "60: release 0"], await RunAsync());
    }

    [Fact]
    public async Task Run_HolesInABatch_AreInTheRange()
    {
        _consumer.At(0, new Assigned(P0, 0)).At(1, new Received(new TestBatch(P0, 0, 20, [TestBatch.Event(3, Noon), TestBatch.Event(11, Noon)])));
        Assert.Equal("31: flush 2 0[0,20) Age", (await RunAsync())[0]);
    }

    [Fact]
    public async Task Run_HourTurns_BeginsANewFile()
    {
        var late = Noon.AddHours(1).AddMilliseconds(-1);
        _consumer.At(0, new Assigned(P0, 0)).At(0, new Assigned(P1, 0))
            .At(1, new Received(new TestBatch(P0, 0, 3, [TestBatch.Event(0, late), TestBatch.Event(1, late), TestBatch.Event(2, Noon.AddHours(1))])))
            // A partition that lags behind doesn't cut again.
            .At(2, new Received(TestBatch.Of(P1, 0, 2, late)))
            .At(3, new Received(TestBatch.Of(P0, 3, 4, Noon.AddHours(1))))
            .At(60, () => { });
        Assert.Equal(["1: flush 2 0[0,2) Hour", "1: live", "31: flush 4 0[2,4) 1[0,2) Age", "31: live", "60: stop", "60: release 0", "60: release 1"], await RunAsync());
    }

    [Fact]
    public async Task Run_FlushUnderWay_FillsTheOtherBufferThenStopsReading()
    {
        var first = new TaskCompletionSource<bool>();
        _flusher.Then(first.Task);
        var third = TestBatch.Of(P0, 200, 201, Noon);
        _consumer.At(0, new Assigned(P0, 0)).At(1, Events(P0, 0, 100)).At(2, Events(P0, 100, 200)).At(3, new Received(third));
        var run = RunAsync();
        // Both buffers are taken: whatever the load, nothing more is read.
        await WaitForAsync(() => _log.ToArray() is ["1: flush 100 0[0,100) Rows"]);
        Assert.False(run.IsCompleted);
        Assert.False(third.Disposed);
        first.SetResult(true);
        Assert.Equal(["1: flush 100 0[0,100) Rows", "2: live", "2: flush 100 0[100,200) Rows", "2: live", "33: flush 1 0[200,201) Age", "33: live", "33: stop", "33: release 0"], await run);
        Assert.True(third.Disposed);
    }

    [Fact]
    public async Task Run_FlushUnderWay_AgeWaitsForItsEnd()
    {
        var first = new TaskCompletionSource<bool>();
        _flusher.Then(first.Task);
        _consumer.At(0, new Assigned(P0, 0)).At(0, Events(P0, 0, 1)).At(31, Events(P0, 1, 2)).At(100, () => first.SetResult(true)).At(101, () => { });
        var log = await RunAsync();
        Assert.Equal("30: flush 1 0[0,1) Age", log[0]);
        Assert.Equal("live", log[1].Split(": ")[1]);
        Assert.EndsWith("flush 1 0[1,2) Age", log[2]);
        Assert.InRange(double.Parse(log[2].Split(':')[0]), 100, 101);
    }

    [Fact]
    public async Task Run_Abandoned_DiscardsWhatFollowedAndReadsAllOfItAgain()
    {
        var first = new TaskCompletionSource<bool>();
        _flusher.Then(first.Task);
        _consumer.At(0, new Assigned(P0, 0)).At(0, new Assigned(P1, 0)).At(0, Events(P0, 0, 5)).At(31, Events(P1, 0, 3)).At(32, Events(P0, 5, 6))
            .At(33, () => first.SetResult(false))
            // Read ahead before the rewind: void.
            .At(34, Events(P0, 6, 7))
            .At(35, new Assigned(P1, 1)).At(35, new Lost(P0)).At(36, Events(P1, 1, 4)).At(80, () => { });
        Assert.Equal(
            ["30: flush 5 0[0,5) Age", "33: abandoned", "33: rewind 0", "33: rewind 1", "66: flush 3 1[1,4) Age", "66: live", "80: stop", "80: release 1"], await RunAsync());
    }

    [Fact]
    public async Task Run_Revoking_FlushesThenReleases()
    {
        _consumer.At(0, new Assigned(P0, 0)).At(0, new Assigned(P1, 0)).At(1, Events(P0, 0, 5)).At(2, Events(P1, 0, 1)).At(3, new Revoking(P0)).At(4, Events(P1, 1, 2)).At(5, new Revoking(P1));
        Assert.Equal(["3: flush 6 0[0,5) 1[0,1) Revoked", "3: live", "3: release 0", "5: flush 1 1[1,2) Revoked", "5: live", "5: release 1", "5: stop"], await RunAsync());
    }

    [Fact]
    public async Task Run_RevokingWhileUnderWay_ReleasesOnlyAfterItsEnd()
    {
        var first = new TaskCompletionSource<bool>();
        _flusher.Then(first.Task);
        _consumer.At(0, new Assigned(P0, 0)).At(0, Events(P0, 0, 100)).At(1, new Revoking(P0));
        var run = RunAsync();
        await WaitForAsync(() => _log.ToArray().Length == 1 && _clock.GetUtcNow() == Noon.AddSeconds(1));
        Assert.False(run.IsCompleted);
        first.SetResult(true);
        Assert.Equal(["0: flush 100 0[0,100) Rows", "1: live", "1: release 0", "1: stop"], await run);
    }

    [Fact]
    public async Task Run_RevokingAbandoned_ReleasesAndRewindsOnlyTheOthers()
    {
        _flusher.Then(Task.FromResult(false));
        _consumer.At(0, new Assigned(P0, 0)).At(0, new Assigned(P1, 0)).At(1, Events(P0, 0, 5)).At(1, Events(P1, 0, 5)).At(2, new Revoking(P0));
        Assert.Equal(["2: flush 10 0[0,5) 1[0,5) Revoked", "2: abandoned", "2: rewind 1", "2: release 0", "2: stop", "2: release 1"], await RunAsync());
    }

    [Fact]
    public async Task Run_LostWithEventsInTheBuffer_ReadsTheOthersAgain()
    {
        _consumer.At(0, new Assigned(P0, 0)).At(0, new Assigned(P1, 0)).At(1, Events(P0, 0, 5)).At(1, Events(P1, 0, 5)).At(2, new Lost(P0)).At(3, new Assigned(P1, 0)).At(4, Events(P1, 0, 5)).At(60, () => { });
        Assert.Equal(["2: rewind 1", "34: flush 5 1[0,5) Age", "34: live", "60: stop", "60: release 1"], await RunAsync());
    }

    [Fact]
    public async Task Run_LostWithoutEventsInTheBuffer_KeepsTheBuffer()
    {
        _consumer.At(0, new Assigned(P0, 0)).At(0, new Assigned(P1, 0)).At(1, Events(P1, 0, 5)).At(2, new Lost(P0)).At(60, () => { });
        Assert.Equal(["31: flush 5 1[0,5) Age", "31: live", "60: stop", "60: release 1"], await RunAsync());
    }

    [Fact]
    public async Task Run_AssignedAgainWithEventsHeld_ReadsTheCheckpointAgain()
    {
        _consumer.At(0, new Assigned(P0, 0)).At(0, new Assigned(P1, 0)).At(1, Events(P0, 0, 5)).At(1, Events(P1, 0, 5)).At(2, new Assigned(P0, 3)).At(3, new Assigned(P0, 3)).At(4, Events(P0, 3, 5)).At(60, () => { });
        Assert.Equal(["2: rewind 0", "2: rewind 1", "34: flush 2 0[3,5) Age", "34: live", "60: stop", "60: release 0", "60: release 1"], await RunAsync());
    }

    [Fact]
    public async Task Run_AssignedAgainWhileUnderWay_ReadsTheCheckpointAgainAfterItsEnd()
    {
        var first = new TaskCompletionSource<bool>();
        _flusher.Then(first.Task);
        // The new assignment was read before the commit: taking it at its word would archive [0,5) again, or try to.
        _consumer.At(0, new Assigned(P0, 0)).At(0, Events(P0, 0, 100)).At(1, new Assigned(P0, 0));
        var run = RunAsync();
        await WaitForAsync(() => _clock.GetUtcNow() == Noon.AddSeconds(1));
        first.SetResult(true);
        Assert.Equal(["0: flush 100 0[0,100) Rows", "1: live", "1: rewind 0", "1: stop", "1: release 0"], await run);
    }

    [Fact]
    public async Task Run_BatchOutOfStep_ReadsAgainFromTheCheckpoint()
    {
        _consumer.At(0, new Assigned(P0, 0)).At(1, Events(P0, 0, 5)).At(2, Events(P0, 6, 7)).At(3, new Assigned(P0, 0)).At(4, Events(P0, 0, 7)).At(60, () => { });
        Assert.Equal(["2: rewind 0", "34: flush 7 0[0,7) Age", "34: live", "60: stop", "60: release 0"], await RunAsync());
    }

    [Fact]
    public async Task Run_Stopped_FlushesAndReleasesEverything()
    {
        _consumer.At(0, new Assigned(P0, 0)).At(0, new Assigned(P1, 0)).At(1, Events(P0, 0, 5)).At(1, Events(P1, 0, 5)).At(2, () => _consumer.Stopping.Cancel());
        Assert.Equal(["2: stop", "2: flush 10 0[0,5) 1[0,5) Revoked", "2: live", "2: release 0", "2: release 1"], await RunAsync());
    }

    [Fact]
    public async Task Run_Aborted_EndsWithTheFlushUnderWay()
    {
        _flusher.Then(new TaskCompletionSource<bool>().Task);
        using var abort = new CancellationTokenSource();
        _consumer.At(0, new Assigned(P0, 0)).At(1, Events(P0, 0, 100)).At(2, new Revoking(P0));
        var run = RunAsync(abort.Token);
        await WaitForAsync(() => _clock.GetUtcNow() == Noon.AddSeconds(2));
        await abort.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.Equal(["1: flush 100 0[0,100) Rows"], _log.ToArray());
    }

    private async Task<string[]> RunAsync(CancellationToken abort = default)
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var telemetry = new ArchiverTelemetry(services.GetRequiredService<IMeterFactory>(), _clock);
        var appender = new EventAppender(CardDataMode.Mask, NullLogger.Instance);
        await Task.Run(() => new ArchiveLoop(_consumer, _flusher, appender, TestArchiver.NoRepeats(), _options, telemetry, _clock, NullLogger.Instance).RunAsync(_consumer.Stopping.Token, abort), CancellationToken.None);
        return _log.ToArray();
    }

    private static Received Events(StreamPartition partition, long from, long to, int bodyBytes = 0) => new(TestBatch.Of(partition, from, to, Noon, bodyBytes));

    private static async Task WaitForAsync(Func<bool> condition) => await Testing.Eventually.TrueAsync(condition, "the expected state");
}

using System.Threading.Channels;

namespace PaymentPlatform.Simulator;

/// <summary>Generates and sends until the plan is done or it is stopped. The batches under way are few and used again: that bounds the memory.</summary>
internal sealed class Traffic(
    TransactionGenerator generator, EventSender sender, TrafficPlan plan, TrafficStatistics statistics, AcceptedRecorder? recorder, TruthRecorder? truth, TimeProvider time)
{
    /// <summary>Ingest lists at most 1,000 rejections of a request: more events could not be told apart.</summary>
    public const int MaxBatch = 1_000;

    private readonly Channel<EventBatch> _free = Channel.CreateBounded<EventBatch>(sender.Concurrency);
    private SimulatorSettings _settings = plan.Settings();
    private Exception? _fault;

    /// <summary>For the answers that are under way at the end.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The same where the target does not answer.</summary>
    private static readonly TimeSpan SilentTimeout = TimeSpan.FromSeconds(1);

    /// <param name="stop">No further events, as when the plan's duration is over; those under way are waited for, but not for long.</param>
    /// <exception cref="SimulatorException">The target refuses for good.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var over = plan.Duration is { } duration ? new CancellationTokenSource(duration, time) : new CancellationTokenSource();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, over.Token);
        using var abort = new CancellationTokenSource();
        await using var registration = end.Token.Register(() => abort.CancelAfter(statistics.IsAnswering ? AnswerTimeout : SilentTimeout));
        for (var i = 0; i < sender.Concurrency; i++)
            _free.Writer.TryWrite(new());
        try
        {
            await GenerateAsync(end.Token, abort.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
        }

        // Each comes back, also when it is given up.
        for (var i = 0; i < sender.Concurrency; i++)
            await _free.Reader.ReadAsync(CancellationToken.None);
        if (_fault is not null)
            throw _fault;
    }

    private async Task GenerateAsync(CancellationToken stop, CancellationToken abort)
    {
        using var timer = new PeriodicTimer(plan.Interval, time);
        var pacer = new Pacer(Rate(), plan.Interval, time);
        var left = plan.Total ?? long.MaxValue;
        while (left > 0 && _fault is null)
        {
            Refresh();
            pacer.Rate = Rate();
            if (pacer.Rate > 0 || IsIdle())
                await timer.WaitForNextTickAsync(stop);
            for (var due = Math.Min(pacer.Rate > 0 ? pacer.Due() : IsIdle() ? 0 : _settings.BatchSize, left); due > 0 && _fault is null;)
            {
                var count = (int)Math.Min(due, _settings.BatchSize);
                var batch = await _free.Reader.ReadAsync(stop);
                Refresh();
                batch.Fill(generator, count, statistics.NextNumber, plan.Clock, NowMicros());
                statistics.Sent(batch);
                _ = SendAsync(batch, abort);
                due -= count;
                left -= count;
            }
        }
    }

    private void Refresh()
    {
        var current = plan.Settings();
        if (ReferenceEquals(current, _settings))
            return;
        _settings = current;
        generator.Apply(current);
    }

    /// <summary>Where the events follow the clock, they come as often as the hour wants it.</summary>
    private double Rate() => (plan.Rate ?? _settings.Rate ?? plan.DefaultRate) * (plan.Clock is null ? generator.Profile.HourFactor(NowMicros()) : 1);

    /// <summary>An hour without events is not one without a limit.</summary>
    private bool IsIdle() => plan.Clock is null && generator.Profile.HourFactor(NowMicros()) == 0;

    private long NowMicros() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private async Task SendAsync(EventBatch batch, CancellationToken abort)
    {
        try
        {
            var outcome = await sender.SendAsync(batch, statistics, abort);
            statistics.Took(outcome);
            recorder?.Record(batch, outcome);
            truth?.Record(batch, outcome);
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
        }
        catch (Exception exception)
        {
            _fault ??= exception;
        }
        finally
        {
            _free.Writer.TryWrite(batch);
        }
    }
}

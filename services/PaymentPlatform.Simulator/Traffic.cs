using System.Threading.Channels;

namespace PaymentPlatform.Simulator;

/// <summary>Generates and sends until the total is reached or it is stopped. The batches under way are few and used again: that bounds the memory.</summary>
/// <param name="rate">Events a second; 0 is as fast as the target takes them.</param>
/// <param name="total">Null for no end.</param>
internal sealed class Traffic(
    TransactionGenerator generator, EventSender sender, double rate, long? total, TimeSpan interval, TrafficStatistics statistics, AcceptedRecorder? recorder, TimeProvider time)
{
    /// <summary>Ingest lists at most 1,000 rejections of a request: more events could not be told apart.</summary>
    public const int MaxBatch = 1_000;

    private readonly Channel<EventBatch> _free = Channel.CreateBounded<EventBatch>(sender.Concurrency);
    private Exception? _fault;

    /// <param name="stop">No further events; those under way are seen through.</param>
    /// <param name="abort">Those under way are given up too.</param>
    /// <exception cref="SimulatorException">The target refuses for good.</exception>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        for (var i = 0; i < sender.Concurrency; i++)
            _free.Writer.TryWrite(new());
        try
        {
            await GenerateAsync(stop, abort);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
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
        using var timer = new PeriodicTimer(interval, time);
        var pacer = rate > 0 ? new Pacer(rate, interval, time) : null;
        var left = total ?? long.MaxValue;
        while (left > 0 && _fault is null)
        {
            if (pacer is not null)
                await timer.WaitForNextTickAsync(stop);
            for (var due = Math.Min(pacer?.Due() ?? MaxBatch, left); due > 0 && _fault is null;)
            {
                var count = (int)Math.Min(due, MaxBatch);
                var batch = await _free.Reader.ReadAsync(stop);
                batch.Fill(generator, count, (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
                statistics.Sent(count);
                _ = SendAsync(batch, abort);
                due -= count;
                left -= count;
            }
        }
    }

    private async Task SendAsync(EventBatch batch, CancellationToken abort)
    {
        try
        {
            var outcome = await sender.SendAsync(batch, statistics, abort);
            statistics.Took(outcome);
            recorder?.Record(batch, outcome);
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

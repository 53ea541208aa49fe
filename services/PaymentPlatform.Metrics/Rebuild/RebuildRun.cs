using System.Text;
using Npgsql;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.MetricEngine.Sketches;
using PaymentPlatform.Metrics.Deltas;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>
/// One rebuild, from its beginning to the swap: waits until the archive holds all below the cut, computes it with the code that computes the live figures, and swaps it in.
/// Whatever ends it before that leaves the old figures as they are.
/// </summary>
internal sealed partial class RebuildRun(
    RebuildJobs jobs, RebuildSource source, RebuildJob job, IReadOnlyDictionary<StreamPartition, long> cut, RuleSet rules, TransactionParserOptions parserOptions, MetricsOptions options, TimeProvider time, ILogger logger)
{
    private const int MaxLoggedFailures = 10, MaxSwaps = 10;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly TransactionParser _parser = new(parserOptions);
    private readonly FigureAccumulator _figures = new();
    private readonly RuleEvaluator _evaluator = new(rules, parserOptions.CardData);
    private readonly Dictionary<StreamPartition, PartitionRuleState> _states = [];
    private readonly RuleResults _results = new();
    private readonly RuleResults _outside = new();
    private int _gathered;
    private long _total;

    public long EventsRead { get; private set; }

    /// <summary>Events on which the rules failed; their figures count.</summary>
    public long RuleFailures { get; private set; }

    /// <summary>How long the swap kept commits waiting.</summary>
    public TimeSpan HeldUp { get; private set; }

    private RebuildProgress Progress => new(EventsRead, _total == 0 ? null : _total, RuleFailures);

    /// <exception cref="RebuildStoppedException">Cancelled, or overtaken.</exception>
    /// <exception cref="RebuildRefusedException">The archive does not allow it.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while ((await jobs.ListUnarchivedAsync(cut, cancellationToken)).Count > 0)
        {
            await ProgressAsync("waiting for the archive", cancellationToken);
            await Task.Delay(Look, time, cancellationToken);
        }

        // What stateful rules have to know at the beginning of the range.
        var before = rules.Rules.Where(r => r.IsStateful && r.Enabled).Select(r => r.WithinMicros + r.LatenessMicros).DefaultIfEmpty().Max();
        var files = await source.ListAsync(job.From - before, job.To, cancellationToken);
        _total = files.Sum(f => f.Rows);
        foreach (var group in RebuildOrder.Of(files))
        {
            await foreach (var archived in source.ReadAsync(group, cut, cancellationToken))
            {
                Add(archived);
                if (_gathered >= options.MaxBatchEvents || _figures.Delta.KeyCount >= options.MaxBatchKeys || _results.Output.KeyCount >= options.MaxBatchKeys)
                    await WriteAsync(cancellationToken);
            }

            EventsRead += group.Sum(f => f.Rows);
            await ProgressAsync("computing", cancellationToken);
        }

        await WriteAsync(cancellationToken);
        await FoldStagingAsync(cancellationToken);
        HeldUp = await SwapAsync(cancellationToken);
    }

    /// <summary>What commits have put in, until only what they put in meanwhile is left: the swap, which keeps them waiting, must find little to fold.</summary>
    private async Task FoldStagingAsync(CancellationToken cancellationToken)
    {
        var (left, notFewer) = (long.MaxValue, 0);
        while (left > 0 && notFewer < 5)
        {
            var now = await jobs.FoldStagingAsync(job, "computing", Progress, cancellationToken);
            notFewer = now < left ? 0 : notFewer + 1;
            left = now;
        }
    }

    private async Task<TimeSpan> SwapAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await jobs.FinishAsync(job, Progress, options.RebuildSwapTimeout, cancellationToken);
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable && attempt < MaxSwaps)
            {
                // A commit took longer than those behind it may be kept waiting. All that was computed is still right.
                await Task.Delay(Look, time, cancellationToken);
            }
        }
    }

    private void Add(ArchivedEvent archived)
    {
        if (archived.TransactionTimestampMicros is not { } micros)
            return;
        // The archive's word on validity holds: it was said with the clock of the time and the rules of the time.
        var result = _parser.Parse(archived.RawPayload, archived.EnqueuedAtMicros);
        var isInside = micros >= job.From && micros < job.To;
        try
        {
            if (isInside)
                _figures.Add(result.Transaction, archived.EnqueuedAtMicros, StableHash.Of(Encoding.UTF8.GetBytes(archived.MessageId!)));
        }
        catch (InvalidOperationException exception)
        {
            throw new RebuildRefusedException($"The event at {archived.Partition} offset {archived.Offset} is archived as valid, but can't be read any more: {exception.Message}", exception);
        }

        Evaluate(archived, result, isInside ? _results : _outside);
        _outside.Clear();
        if (isInside)
            _gathered++;
    }

    private void Evaluate(ArchivedEvent archived, ParseResult result, RuleResults results)
    {
        if (!_states.TryGetValue(archived.Partition, out var state))
            _states.Add(archived.Partition, state = new(rules));
        results.Begin(archived.Partition);
        try
        {
            _evaluator.Evaluate(state, result, archived.Offset, archived.EnqueuedAtMicros, results.Output);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // As when it was live: its figures count.
            if (RuleFailures++ < MaxLoggedFailures)
                LogRulesFailed(logger, archived.Partition, archived.Offset, exception.GetType().Name, exception.StackTrace);
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        if (_gathered == 0)
            return;
        await jobs.WriteAsync(
            job, "computing", Progress,
            async transaction =>
            {
                _figures.Delta.AddBuckets(_results.Output);
                if (_results.Output.Hits.Count > 0)
                    await HitTable.InsertAsync(transaction, _results.Hits(), cancellationToken);
                // At once: commits only append deltas here, and the one that merges is this one.
                await DeltaTables.MergeAsync(transaction, _figures, cancellationToken, logger);
            },
            cancellationToken);
        _figures.Clear();
        _results.Clear();
        _gathered = 0;
    }

    private Task ProgressAsync(string phase, CancellationToken cancellationToken) =>
        jobs.WriteAsync(job, phase, Progress, _ => Task.CompletedTask, cancellationToken);

    // The exception's message may quote the payload.
    [LoggerMessage(Level = LogLevel.Error, Message = "The rules failed on the archived event at {Partition} offset {Offset}: {Fault}. Its figures are counted. {StackTrace}")]
    private static partial void LogRulesFailed(ILogger logger, StreamPartition partition, long offset, string fault, string? stackTrace);
}

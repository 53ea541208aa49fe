using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Rules;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>Keeps the catalog up to date: seeds it, looks for newer versions, and takes in <see cref="MetricsOptions.RulesFile"/> whenever it changes.</summary>
internal sealed partial class RuleService(
    HybridConnectionManager connections, SchemaGate schema, RuleCatalog catalog, IOptions<MetricsOptions> options, TimeProvider time, ILogger<RuleService> logger) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource _seeded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RuleHistory _history = new();
    private readonly RuleFile? _file = options.Value.RulesFile is { Length: > 0 } path ? new(path) : null;

    /// <summary>Until there are rules to work with.</summary>
    public Task SeededAsync(CancellationToken cancellationToken) => _seeded.Task.WaitAsync(cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = Look;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!_seeded.Task.IsCompleted)
                    await SeedAsync(stoppingToken);
                if (catalog.HasRules)
                    await TakeFileAsync(stoppingToken);
                await catalog.RefreshAsync(stoppingToken);
                pause = Look;
            }
            catch (Exception exception)
            {
                if (stoppingToken.IsCancellationRequested)
                    break;
                // Also what nobody thought of, such as a row written by hand: partitions go on with the rules that they have.
                pause = pause * 2 < Longest ? pause * 2 : Longest;
                if (exception is NpgsqlException or TimeoutException)
                    LogUnavailable(logger, pause.TotalSeconds, exception.Message);
                else
                    LogFault(logger, exception, pause.TotalSeconds);
            }

            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _seeded.TrySetCanceled(stoppingToken);
    }

    private async Task SeedAsync(CancellationToken cancellationToken)
    {
        await schema.WaitAsync(cancellationToken);
        await catalog.SeedAsync(RuleSet.StarterYaml, "starter rules", cancellationToken);
        // The only version may be one that this process can't read: then it waits for one that it can.
        if (catalog.HasRules)
            _seeded.SetResult();
    }

    /// <summary>A faulty file changes nothing.</summary>
    private async Task TakeFileAsync(CancellationToken cancellationToken)
    {
        if (_file is null || await _file.ReadIfChangedAsync(cancellationToken) is not { } yaml)
            return;
        var result = RuleSet.Parse(yaml, _file.Name);
        var errors = result.Errors;
        if (result.IsValid)
        {
            await connections.ExecuteAsync(
                async (connection, token) =>
                {
                    // What is new to this process is read before its turn: others wait for that.
                    await LearnAsync(connection, token);
                    await RuleVersionStore.AddAsync(
                        connection, yaml, $"file {_file.Name}", null, onlyFirst: false, token,
                        async turn =>
                        {
                            await LearnAsync(connection, turn);
                            return (errors = _history.Check(result.RuleSet, _file.Name)).Count == 0;
                        });
                },
                cancellationToken);
        }

        // A fault on the way leaves the change to the next look.
        _file.Confirm();
        if (errors.Count > 0)
            LogFileRefused(logger, _file.Name, string.Join(Environment.NewLine, errors));
    }

    private async Task LearnAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await foreach (var version in RuleVersionStore.ReadAfterAsync(connection, _history.Newest, cancellationToken))
            _history.Add(version.Version, version.Yaml);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The rules could not be looked at in the database, it is tried again in {Seconds} s: {Fault}")]
    private static partial void LogUnavailable(ILogger logger, double seconds, string fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "The rules could not be looked at, they stay as they are; it is tried again in {Seconds} s")]
    private static partial void LogFault(ILogger logger, Exception exception, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "{File} is not taken, the rules stay as they are: {Errors}")]
    private static partial void LogFileRefused(ILogger logger, string file, string errors);
}

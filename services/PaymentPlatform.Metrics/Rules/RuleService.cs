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

    private readonly TaskCompletionSource _seeded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RuleFile? _file = options.Value.RulesFile is { Length: > 0 } path ? new(path) : null;

    /// <summary>Until there are rules to work with.</summary>
    public Task SeededAsync(CancellationToken cancellationToken) => _seeded.Task.WaitAsync(cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await schema.WaitAsync(stoppingToken);
            while (true)
            {
                try
                {
                    if (!_seeded.Task.IsCompleted)
                        await SeedAsync(stoppingToken);
                    if (catalog.HasRules)
                        await TakeFileAsync(stoppingToken);
                    await catalog.RefreshAsync(stoppingToken);
                }
                catch (Exception exception) when (exception is NpgsqlException or TimeoutException && !stoppingToken.IsCancellationRequested)
                {
                    LogUnavailable(logger, exception.Message);
                }

                await Task.Delay(Look, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            _seeded.TrySetCanceled(stoppingToken);
        }
    }

    private async Task SeedAsync(CancellationToken cancellationToken)
    {
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
                (connection, token) => RuleVersionStore.AddAsync(
                    connection, yaml, $"file {_file.Name}", null, onlyFirst: false, token,
                    latest => (errors = RuleSet.Parse(latest.Yaml, "").RuleSet is { } before ? result.RuleSet.CheckFollows(before, _file.Name) : []).Count == 0),
                cancellationToken);
        }

        // A fault on the way leaves the change to the next look.
        _file.Confirm();
        if (errors.Count > 0)
            LogFileRefused(logger, _file.Name, string.Join(Environment.NewLine, errors));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The rules could not be looked at in the database, it is tried again: {Fault}")]
    private static partial void LogUnavailable(ILogger logger, string fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "{File} is not taken, the rules stay as they are: {Errors}")]
    private static partial void LogFileRefused(ILogger logger, string file, string errors);
}

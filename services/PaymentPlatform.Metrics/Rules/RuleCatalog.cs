using Npgsql;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Storage.Database.Rules;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>The newest version of the rules that is in the database and that this process has seen. A singleton; <see cref="RuleService"/> keeps it up to date.</summary>
/// <param name="known">What is known beforehand.</param>
internal sealed partial class RuleCatalog(NpgsqlDataSource database, ILogger<RuleCatalog> logger, ActiveRules? known = null)
{
    private readonly SemaphoreSlim _turn = new(1);
    private ActiveRules? _current = known;
    private long _refused;

    public bool HasRules => Volatile.Read(ref _current) is not null;

    /// <exception cref="InvalidOperationException">None was read yet: <see cref="SeedAsync"/> comes first.</exception>
    public ActiveRules Current => Volatile.Read(ref _current) ?? throw new InvalidOperationException("No rules were read yet.");

    /// <summary>Puts the given rules in when the database has none, and reads what it has.</summary>
    public async Task SeedAsync(string yaml, string source, CancellationToken cancellationToken)
    {
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
            await RuleVersionStore.AddAsync(connection, yaml, source, null, onlyFirst: true, cancellationToken);
        await RefreshAsync(cancellationToken);
    }

    /// <summary>Looks for a newer version.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using (var command = new NpgsqlCommand("SELECT max(version) FROM rule_versions", connection))
            {
                if (await command.ExecuteScalarAsync(cancellationToken) is not long newest || newest <= Math.Max(_current?.Version ?? 0, _refused))
                    return;
            }

            Take((await RuleVersionStore.FindLatestAsync(connection, cancellationToken))!);
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Take(RuleVersion version)
    {
        var result = RuleSet.Parse(version.Yaml, $"version {version.Version}");
        if (result.IsValid)
        {
            Volatile.Write(ref _current, new(version.Version, result.RuleSet));
            LogTaken(logger, version.Version, version.CreatedBy, result.RuleSet.Rules.Count(r => r.Enabled));
            return;
        }

        // Who put it in is newer than this process, or somebody wrote into the table by hand.
        _refused = version.Version;
        LogRefused(logger, version.Version, string.Join("; ", result.Errors));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Rules version {Version} by {Source} is taken from the next batch on: {Rules} rules are enabled")]
    private static partial void LogTaken(ILogger logger, long version, string source, int rules);

    [LoggerMessage(Level = LogLevel.Error, Message = "Rules version {Version} can't be read by this process, which goes on with the version before: {Errors}")]
    private static partial void LogRefused(ILogger logger, long version, string errors);
}

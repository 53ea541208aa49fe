using System.Diagnostics;
using System.Reflection;
using DbUp;
using DbUp.Engine;
using DbUp.Engine.Output;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace PaymentPlatform.Storage.Database;

/// <summary>
/// Brings the schema up to date: forward-only scripts, each in a transaction, all under an advisory lock so that any number of processes may start at once.
/// A script may take as long as it needs, whatever <c>Command Timeout</c> says. Each script's first lines state the way back.
/// </summary>
public static partial class DatabaseMigrator
{
    private const long AdvisoryLock = 0x5041594D454E5453; // "PAYMENTS"

    /// <exception cref="InvalidOperationException">A script failed, or the database was migrated by a newer version; the message names the script.</exception>
    public static async Task MigrateAsync(NpgsqlDataSource dataSource, ILogger logger, CancellationToken cancellationToken)
    {
        await using var guard = await dataSource.OpenConnectionAsync(cancellationToken);
        await using (var take = new NpgsqlCommand("SELECT pg_advisory_lock($1)", guard) { Parameters = { new() { Value = AdvisoryLock } }, CommandTimeout = 0 })
            await take.ExecuteNonQueryAsync(cancellationToken);
        try
        {
            await UpgradeAsync(dataSource, logger, cancellationToken);
        }
        finally
        {
            // The connection goes back to the pool, where the lock would outlive a failed migration.
            await using var release = new NpgsqlCommand("SELECT pg_advisory_unlock($1)", guard) { Parameters = { new() { Value = AdvisoryLock } } };
            await release.ExecuteNonQueryAsync(CancellationToken.None);
        }

        // Types that a script created (none today) would be unknown to pooled connections otherwise.
        await guard.ReloadTypesAsync(cancellationToken);
    }

    private static async Task UpgradeAsync(NpgsqlDataSource dataSource, ILogger logger, CancellationToken cancellationToken)
    {
        var upgrade = DeployChanges.To
            .PostgresqlDatabase(new DbUp.Postgresql.PostgresqlConnectionManager(dataSource))
            .JournalToPostgresqlTable("public", "schema_versions")
            .WithScriptsEmbeddedInAssembly(Assembly.GetExecutingAssembly(), name => name.EndsWith(".sql", StringComparison.Ordinal))
            .WithTransactionPerScript()
            .WithExecutionTimeout(TimeSpan.Zero)
            .WithVariablesDisabled()
            .LogTo(new UpgradeLog(logger))
            .Build();
        var known = upgrade.GetDiscoveredScripts().Select(s => s.Name).ToHashSet();
        var unknown = upgrade.GetExecutedScripts().FirstOrDefault(s => !known.Contains(s));
        if (unknown is not null)
            throw new InvalidOperationException($"The database was made by a newer version of PaymentPlatform: it has the migration {unknown}, which this version does not know. Start the newer version, or restore a backup from before the upgrade.");
        var result = await Task.Run(() => PerformUpgrade(upgrade, logger), cancellationToken);
        if (!result.Successful)
            throw new InvalidOperationException($"Database migration {result.ErrorScript?.Name} failed: {result.Error.Message}", result.Error);
    }

    /// <summary>Says before each script that it begins: whoever waits can see for what.</summary>
    private static DatabaseUpgradeResult PerformUpgrade(UpgradeEngine upgrade, ILogger logger)
    {
        var scripts = upgrade.GetScriptsToExecute();
        var next = 0;
        var began = Begin();
        upgrade.ScriptExecuted += (_, executed) =>
        {
            LogMigrated(logger, ((ScriptExecutedEventArgs)executed).Script.Name, Stopwatch.GetElapsedTime(began).TotalSeconds);
            began = Begin();
        };
        return upgrade.PerformUpgrade();

        long Begin()
        {
            if (next < scripts.Count)
                LogBegins(logger, scripts[next].Name, ++next, scripts.Count);
            return Stopwatch.GetTimestamp();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Database migration {Script} begins ({Number} of {Count})")]
    private static partial void LogBegins(ILogger logger, string script, int number, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Database migrated: {Script} in {Seconds:0.000} s")]
    private static partial void LogMigrated(ILogger logger, string script, double seconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Text}")]
    private static partial void LogUpgrade(ILogger logger, string text);

    private sealed class UpgradeLog(ILogger logger) : IUpgradeLog
    {
        public void LogTrace(string format, params object[] args) => LogUpgrade(logger, string.Format(format, args));

        public void LogDebug(string format, params object[] args) => LogUpgrade(logger, string.Format(format, args));

        public void LogInformation(string format, params object[] args) => LogUpgrade(logger, string.Format(format, args));

        public void LogWarning(string format, params object[] args) => LogUpgrade(logger, string.Format(format, args));

        public void LogError(string format, params object[] args) => LogUpgrade(logger, string.Format(format, args));

        public void LogError(Exception ex, string format, params object[] args) => LogUpgrade(logger, string.Format(format, args) + ": " + ex.Message);
    }
}

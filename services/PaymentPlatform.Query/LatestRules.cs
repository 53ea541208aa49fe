using Npgsql;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Storage.Database.Rules;

namespace PaymentPlatform.Query;

/// <summary>The newest rules of the database, read once a version. A singleton.</summary>
public sealed class LatestRules
{
    private volatile Known? _known;

    /// <summary>Null when there are none, or none that this process can read.</summary>
    public async Task<RuleSet?> FindAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT max(version) FROM rule_versions", connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is not long newest)
            return null;
        if (_known is { } known && known.Version == newest)
            return known.Rules;
        var latest = (await RuleVersionStore.FindAsync(connection, newest, cancellationToken))!;
        var rules = RuleSet.Parse(latest.Yaml, $"version {newest}").RuleSet;
        _known = new(newest, rules);
        return rules;
    }

    private sealed record Known(long Version, RuleSet? Rules);
}

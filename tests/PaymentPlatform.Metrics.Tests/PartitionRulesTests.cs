using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Storage.Database.Rules;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

/// <summary>Versions of the rules, and the state of stateful ones, as partitions go from process to process.</summary>
public sealed class PartitionRulesTests(PlatformFixture platform)
{
    private const string Third = """
        rules:
          - name: third
            version: 1
            description: The third event of a customer within an hour.
            metric_type: count
            sliding: { key: customer_id, within: 1h, at_least: 3 }
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_PartitionOfAProcessWithANewerVersion_StateOfItsNewRulesGoesOn(bool isKnown)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = new TestLog(1);
        // Made before the version is there, it works with the one before.
        var older = Loop(database, log, database.Rules);
        await AddAsync(database, Third);
        var newer = new RuleCatalog(database.Source, NullLogger<RuleCatalog>.Instance);
        await newer.RefreshAsync(CancellationToken.None);
        Append(log, 0, 2);
        await database.RunAsync(log, Loop(database, log, newer));
        if (isKnown)
            await database.Rules.RefreshAsync(CancellationToken.None);
        Append(log, 0, 2);

        await database.RunAsync(log, older);

        Assert.Equal(["third|2"], await database.QueryAsync("SELECT concat_ws('|', rule_name, stream_offset) FROM dynamic_metrics WHERE rule_name = 'third'", r => r.GetString(0)));
        Assert.Equal(["0|2"], await ActivationsAsync(database, 0));
    }

    [Theory]
    [InlineData(999, 0, 0, false)]
    [InlineData(1_000, 0, 0, true)]
    [InlineData(2, 500_000, 0, false)]
    [InlineData(2, 550_000, 0, true)]
    [InlineData(2, 550_000, 100_000, false)]
    [InlineData(2, 600_000, 100_000, true)]
    public async Task Cut_ChangesOfOwnersBefore_CountForTheNextSnapshot(int rows, int rowBytes, int snapshotBytes, bool isSnapshot)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var partition = new StreamPartition("payments", "log-1", 0);
        List<RuleStateChange> changes = [.. Enumerable.Range(1, rows).Select(i => new RuleStateChange(partition, i, State(rowBytes), IsSnapshot: false))];
        if (snapshotBytes > 0)
            changes.Add(new(partition, 0, State(snapshotBytes), IsSnapshot: true));
        await using (var connection = await database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await RuleStateStore.WriteAsync(transaction, changes, CancellationToken.None);
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }

        using var rules = new PartitionRules(database.Source, database.Rules, CardDataMode.Mask);
        Assert.True(await rules.AssignAsync(partition, rows, CancellationToken.None));

        Assert.Equal(isSnapshot, Assert.Single(rules.Cut([new(partition, rows, rows + 1)]).States).IsSnapshot);
    }

    [Fact]
    public async Task Cut_NothingOfThePartition_NoActivationBeforeItsFirstEvents()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var partition = new StreamPartition("payments", "log-1", 0);
        using var rules = new PartitionRules(database.Source, database.Rules, CardDataMode.Mask);
        Assert.True(await rules.AssignAsync(partition, 0, CancellationToken.None));

        var (states, activations) = rules.Cut([new(partition, 0, 0)]);

        Assert.Empty(states);
        Assert.Empty(activations);
        Assert.Equal([new RuleActivation(1, partition, 0)], rules.Cut([new(partition, 0, 5)]).Activations);
    }

    /// <summary>Of a rule that is gone; as large as it says, or some bytes more.</summary>
    private static byte[] State(int bytes)
    {
        var body = new byte[bytes];
        new Random(bytes).NextBytes(body);
        using var codec = new RuleStateCodec();
        return codec.Pack(output =>
        {
            new PartitionRuleState(RuleSet.Parse(Third, "").RuleSet!).WriteChanges(output);
            output.WriteText("gone");
            output.WriteUnsigned(1UL);
            output.WriteBytes(new byte[32]);
            output.WriteBytes(body);
        });
    }

    private static MetricsLoop Loop(MetricsDatabase database, TestLog log, RuleCatalog catalog) => MetricsDatabase.Loop(new ChaosConsumer(log, database.Source, 1, 0), database.Source, new(), catalog);

    private static void Append(TestLog log, int partition, int count)
    {
        for (var i = 0; i < count; i++)
            log.Append(partition, Encoding.UTF8.GetBytes(TestEvents.Event($"t-{log.End(partition)}", TestEvents.Enqueued, "1")));
    }

    private static async Task AddAsync(MetricsDatabase database, string yaml)
    {
        await using var connection = await database.Source.OpenConnectionAsync();
        await RuleVersionStore.AddAsync(connection, yaml, "test", null, onlyFirst: false, CancellationToken.None);
    }

    /// <summary>Of a partition: offset and version.</summary>
    private static Task<List<string>> ActivationsAsync(MetricsDatabase database, int partition) =>
        database.QueryAsync($"SELECT concat_ws('|', from_offset, version) FROM rule_activations WHERE partition_id = {partition} ORDER BY from_offset", r => r.GetString(0));
}

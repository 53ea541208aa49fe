using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>Versions of the rules come and go while events arrive: each event is seen by one of them.</summary>
public sealed class RuleReloadTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("platform-rules-").FullName;

    [Fact]
    public async Task Reload_UnderLoadByFileAndByCall_EachEventCountsUnderOneVersion()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var file = Path.Combine(_data, "team.yaml");
        await File.WriteAllTextAsync(file, Rules(1), cancellation);
        await using var hub = await PlatformProcess.RunAsync(_data, "--services ingest,query --simulator off", cancellationToken: cancellation);
        var connections = await hub.ConnectionsAsync(cancellation);
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        var arguments = $"--services metrics --simulator off --connections {hub.ConnectionsFile} --";
        // One watches the file, the other learns of it from the database.
        await using var first = PlatformProcess.Start(_data, $"{arguments} --Metrics:RulesFile={file}");
        await using var second = PlatformProcess.Start(_data, arguments);
        await Eventually.TrueAsync(async () => await NumberAsync(database, "SELECT count(*) FROM rule_versions WHERE created_by = 'file team.yaml'") == 1, "the file is taken");
        await Eventually.TrueAsync(async () => await NumberAsync(database, "SELECT count(DISTINCT owner) FROM stream_leases WHERE consumer_group = 'metrics'") == 2, "both work");

        using var stop = new CancellationTokenSource();
        var traffic = new Traffic(hub.Url, 5_000, seed: 4);
        var sending = Task.Run(() => traffic.RunAsync(stop.Token), cancellation);
        await ActiveAsync(database, "file team.yaml", 1);
        await File.WriteAllTextAsync(file, Rules(2), cancellation);
        await ActiveAsync(database, "file team.yaml", 2);

        // Broken: said with its line, and nothing changes.
        await File.WriteAllTextAsync(file, Rules(3).Replace("window: 1d", "window: 1 fortnight"), cancellation);
        await Eventually.TrueAsync(() => first.LogLines("team.yaml is not taken, the rules stay as they are: team.yaml:6: rule all_events: ").Count == 1, "the fault is said");
        Assert.Equal(3, await NumberAsync(database, "SELECT count(*) FROM rule_versions"));

        using var http = new HttpClient { BaseAddress = hub.Url };
        for (var version = 3; version <= 6; version++)
        {
            using var body = new StringContent(Rules(version), Encoding.UTF8, new MediaTypeHeaderValue("application/yaml"));
            using var answer = await http.PutAsync("v1/rules", body, cancellation);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            await ActiveAsync(database, "anonymous", version - 2);
        }

        await stop.CancelAsync();
        await sending;
        await Eventually.TrueAsync(
            async () => await NumberAsync(database, "SELECT coalesce(sum(lag), 1) FROM stream_lag WHERE consumer_group = 'metrics'") == 0 && await NumberAsync(database, "SELECT count(*) FROM metric_deltas") == 0, "all is counted");

        // Each event is one offset: of its partition's activations, the last one at or before it saw it. A process may see the first ones while it has the starter rules still.
        const string counted = "SELECT coalesce(sum(event_count), 0) FROM rule_buckets WHERE rule_name = 'all_events'";
        Assert.Equal(traffic.Accepted.Count, await NumberAsync(database, counted) + await SeenAsync(database, 1));
        for (var version = 1; version <= 6; version++)
        {
            var expected = await SeenAsync(database, version + 1);
            Assert.True(expected > 0, $"Version {version} saw nothing.");
            Assert.Equal(expected, await NumberAsync(database, $"{counted} AND rule_version = '{version}'"));
        }
    }

    [Fact]
    public async Task Start_FaultyRulesFile_EndsWithOneLineThatNamesFileLineAndRule()
    {
        var file = Path.Combine(_data, "team.yaml");
        await File.WriteAllTextAsync(file, Rules(1).Replace("metric_type: count", "metric_type: counts"), TestContext.Current.CancellationToken);
        await using var platform = PlatformProcess.Start(_data, $"--simulator off -- --Metrics:RulesFile={file}");
        await Eventually.TrueAsync(() => platform.HasExited, "it ends");

        Assert.Equal(2, platform.ExitCode);
        Assert.StartsWith($"Metrics:RulesFile: {file}:5: rule all_events: ", platform.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', platform.Output);
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static string Rules(int version) => $"""
        rules:
          - name: all_events
            version: {version.ToString(CultureInfo.InvariantCulture)}
            description: All events of a day.
            metric_type: count
            window: 1d

        """;

    /// <summary>Every partition has events of the version.</summary>
    private static Task ActiveAsync(NpgsqlDataSource database, string by, int ordinal) => Eventually.TrueAsync(
        async () => await NumberAsync(database, $"""
            SELECT count(DISTINCT a.partition_id) FROM rule_activations a
            WHERE a.version = (SELECT version FROM rule_versions WHERE created_by = '{by}' ORDER BY version OFFSET {ordinal - 1} LIMIT 1)
            """) == 4,
        $"version {ordinal} by {by} is active everywhere");

    /// <summary>Offsets that a version of the rule set saw.</summary>
    private static Task<long> SeenAsync(NpgsqlDataSource database, int version) => NumberAsync(database, $"""
        WITH seen AS (
          SELECT a.version, a.from_offset, lead(a.from_offset, 1, c.next_offset) OVER (PARTITION BY a.log_id, a.partition_id ORDER BY a.from_offset) AS to_offset
          FROM rule_activations a JOIN stream_checkpoints c USING (stream, log_id, partition_id) WHERE c.consumer_group = 'metrics'
        )
        SELECT coalesce(sum(to_offset - from_offset), 0) FROM seen WHERE version = {version}
        """);

    private static async Task<long> NumberAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }
}

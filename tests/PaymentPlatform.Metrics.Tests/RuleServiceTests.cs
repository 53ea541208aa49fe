using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

public sealed class RuleServiceTests(PlatformFixture platform) : IDisposable
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("rules-").FullName, "team.yaml");

    [Fact]
    public async Task Execute_FaultWhileAChangedFileIsTaken_TakenOnceItIsOver()
    {
        await using var running = await RunningAsync();
        await running.ExecuteAsync("ALTER TABLE rule_versions ADD CONSTRAINT none CHECK (created_by NOT LIKE 'file %')");
        await WriteAsync(Rules(1, "amount > 1"));
        await running.UntilAsync(() => running.Log.Lines.Any(line => line.Contains("\"none\"", StringComparison.Ordinal)), "the fault is said");

        await running.ExecuteAsync("ALTER TABLE rule_versions DROP CONSTRAINT none");

        await running.UntilAsync(() => running.Rules == Rules(1, "amount > 1"), "the file is taken");
    }

    [Fact]
    public async Task Execute_FileThatIsRefused_IsRefusedOnce()
    {
        await using var running = await RunningAsync();
        await WriteAsync("rules: none");
        await running.UntilAsync(() => Refusals(running) == 1, "it is refused");
        await WriteAsync(Rules(1, "amount > 1"));
        await running.UntilAsync(() => running.Rules == Rules(1, "amount > 1"), "the file is taken");
        Assert.Equal(1, Refusals(running));
    }

    [Fact]
    public async Task Execute_FileWithARuleThatComesBackWithAnotherMeaning_IsRefused()
    {
        await using var running = await RunningAsync();
        foreach (var rules in (string[])[Rules(1, "amount > 1"), Rules(1, "amount > 1").Replace("big", "other", StringComparison.Ordinal)])
        {
            await WriteAsync(rules);
            await running.UntilAsync(() => running.Rules == rules, "the file is taken");
        }

        await WriteAsync(Rules(1, "amount > 2"));

        await running.UntilAsync(() => Refusals(running) == 1 || running.Rules == Rules(1, "amount > 2"), "the file is looked at");
        Assert.Contains("team.yaml:2: rule big: ", Assert.Single(running.Log.Lines, line => line.Contains("is not taken", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Execute_VersionWithoutAnAuthor_IsTaken()
    {
        await using var running = await RunningAsync();
        await running.ExecuteAsync($"INSERT INTO rule_versions (yaml, sha256) VALUES ('{Rules(1, "amount > 1")}', '')");
        await running.UntilAsync(() => running.Rules == Rules(1, "amount > 1"), "the version is taken");
    }

    [Fact]
    public async Task Execute_VersionThatCantEvenBeRead_SaysSoAndGoesOnUntilItIsStopped()
    {
        await using var running = await RunningAsync();
        await running.ExecuteAsync("ALTER TABLE rule_versions ALTER yaml DROP NOT NULL; INSERT INTO rule_versions (sha256) VALUES ('')");
        await running.UntilAsync(() => running.Log.Lines.Count(line => line.StartsWith("Error: ", StringComparison.Ordinal)) >= 2, "it is said and tried again");

        await running.ExecuteAsync($"INSERT INTO rule_versions (yaml, sha256) VALUES ('{Rules(1, "amount > 1")}', '')");

        await running.UntilAsync(() => running.Rules == Rules(1, "amount > 1"), "the next version is taken");
        await running.Service.StopAsync(TestContext.Current.CancellationToken);
        Assert.True(running.Service.ExecuteTask!.IsCompletedSuccessfully);
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    private static string Rules(int version, string condition) => $"rules:\n  - name: big\n    version: {version}\n    metric_type: count\n    condition: {condition}\n";

    /// <summary>At once: a look may fall between two writes.</summary>
    private async Task WriteAsync(string rules)
    {
        await File.WriteAllTextAsync($"{_file}.new", rules, TestContext.Current.CancellationToken);
        File.Move($"{_file}.new", _file, overwrite: true);
    }

    private static int Refusals(Running running) => running.Log.Lines.Count(line => line.Contains("is not taken", StringComparison.Ordinal));

    private async Task<Running> RunningAsync()
    {
        var running = new Running(NpgsqlDataSource.Create(await platform.CreateDatabaseAsync()), _file);
        await running.Service.StartAsync(TestContext.Current.CancellationToken);
        await running.Service.SeededAsync(TestContext.Current.CancellationToken);
        return running;
    }

    /// <summary>The service, over a real database and on a clock that runs ahead.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private readonly FakeTimeProvider _time = new();
        private readonly NpgsqlDataSource _source;
        private readonly RuleCatalog _catalog;

        public Running(NpgsqlDataSource source, string file)
        {
            _source = source;
            _catalog = new(source, NullLogger<RuleCatalog>.Instance);
            var connections = new HybridConnectionManager(
                source, new(() => throw new NotSupportedException()), Options.Create(new HybridConnectionOptions()), TimeProvider.System, NullLogger<HybridConnectionManager>.Instance);
            Service = new(connections, new(source, _time, NullLogger<SchemaGate>.Instance), _catalog, Options.Create(new MetricsOptions { RulesFile = file }), _time, Log);
        }

        public RuleService Service { get; }

        public LogLines<RuleService> Log { get; } = new();

        public string Rules => _catalog.Current.RuleSet.Yaml;

        public Task UntilAsync(Func<bool> condition, string what) => Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMinutes(1));
                return condition();
            },
            what, TimeSpan.FromSeconds(20));

        public async Task ExecuteAsync(string sql)
        {
            await using var command = _source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await Service.StopAsync(CancellationToken.None);
            Service.Dispose();
            await _source.DisposeAsync();
        }
    }
}

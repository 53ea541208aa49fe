using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests.Reconciliation;

public sealed class ReconciliationServiceTests(PlatformFixture fixture)
{
    [Fact]
    public async Task Schedule_DamageInAFile_IsWarnedOfMeteredAndOverOnceMended()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture, new() { ["Query:ReconciliationInterval"] = "00:00:00.300", ["Query:ReconciliationFiles"] = "1" });
        var meters = new Gauges();
        // A file a turn, those that were not read for longest first: all of them in time.
        await Eventually.TrueAsync(async () => await platform.ScalarAsync<long>("SELECT count(*) FROM raw_event_files WHERE state = 'live' AND verified_at IS NULL") == 0, "every file's bytes were read");
        Assert.Equal(0, meters.Read("query.reconciliation.findings", "blob_changed"));
        Assert.True(meters.Read("query.reconciliation.last_success", null) > 1_700_000_000);

        var blob = platform.Container.GetBlobClient(await platform.BlobAsync(1));
        var bytes = (await blob.DownloadContentAsync()).Value.Content;
        await platform.FlipByteAsync(blob.Name);
        await Eventually.TrueAsync(() => platform.Log.Lines.Any(l => l.Text.Contains("blob_changed", StringComparison.Ordinal) && l.Text.Contains(blob.Name, StringComparison.Ordinal)), "the warning");
        await Eventually.TrueAsync(() => meters.Read("query.reconciliation.findings", "blob_changed") == 1, "the meter shows it");
        await blob.UploadAsync(bytes, overwrite: true);
        await Eventually.TrueAsync(() => meters.Read("query.reconciliation.findings", "blob_changed") == 0, "the meter shows that it is mended");
    }

    [Fact]
    public async Task Schedule_TwoProcesses_OneChecksAndBothMeter()
    {
        var database = await fixture.CreateDatabaseAsync();
        var settings = new Dictionary<string, string?> { ["Query:ReconciliationInterval"] = "00:00:01" };
        await using var first = await QueryHost.StartAsync(fixture, settings, database);
        await using var second = await QueryHost.StartAsync(fixture, settings, database);
        const string gaps = "SELECT count(*) FROM (SELECT started_at - lag(started_at) OVER (ORDER BY started_at) AS gap FROM reconciliation_runs) r WHERE gap ";
        await Eventually.TrueAsync(async () => await CountAsync("SELECT count(*) FROM reconciliation_runs") >= 4, "four checks");
        Assert.Equal(0, await CountAsync(gaps + "< interval '0.9 s'"));

        async Task<long> CountAsync(string sql)
        {
            await using var command = first.Connections.Database.CreateCommand(sql);
            return (long)(await command.ExecuteScalarAsync())!;
        }
    }

    /// <summary>The last values of this process's gauges: of the youngest host, where there are several.</summary>
    private sealed class Gauges
    {
        private readonly ConcurrentDictionary<(string, string?), double> _values = new();
        private readonly MeterListener _listener = new();

        public Gauges()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name.StartsWith("query.reconciliation.", StringComparison.Ordinal))
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => _values[(instrument.Name, tags.Length > 0 ? (string?)tags[0].Value : null)] = value);
            _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => _values[(instrument.Name, null)] = value);
            _listener.Start();
        }

        public double Read(string name, string? kind)
        {
            _listener.RecordObservableInstruments();
            return _values[(name, kind)];
        }
    }
}

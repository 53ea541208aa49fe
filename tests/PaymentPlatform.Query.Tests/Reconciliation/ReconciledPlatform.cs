using System.Globalization;
using System.Text;
using System.Text.Json;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests.Reconciliation;

/// <summary>A stream, archiver, metrics and query in one process, over a database and a container of their own: what is compared was written by the services.</summary>
internal sealed class ReconciledPlatform : IAsyncDisposable
{
    private static readonly string[] Methods = ["credit_card", "bank_transfer", "façon inconnue 支払", new string('x', 64)];
    private static readonly string[] Statuses = ["completed", "declined", "pending"];
    private static readonly (string Code, string Amount)[] Currencies = [("EUR", "19.90"), ("JPY", "1200"), ("BHD", "0.125")];

    private TimeSpan _age;

    private ReconciledPlatform(QueryHost host) => Host = host;

    public QueryHost Host { get; }

    public BlobContainerClient Container => Host.Connections.RawEvents;

    public required LogCollector Log { get; init; }

    /// <param name="settings">On top of those of a platform that flushes quickly and neither restores nor reconciles by itself.</param>
    public static async Task<ReconciledPlatform> StartAsync(PlatformFixture fixture, Dictionary<string, string?>? settings = null, string? database = null)
    {
        var all = new Dictionary<string, string?>
        {
            ["Archiver:FlushAge"] = "00:00:00.200",
            ["Archiver:FlushRows"] = "100",
            ["Archiver:RestoreWindow"] = "00:00:00",
            ["Metrics:CommitInterval"] = "00:00:00.050",
            ["Streaming:Partitions"] = "3",
            ["Query:ReconciliationInterval"] = "00:00:00",
            ["Query:ReconciliationWait"] = "00:01:00",
        };
        foreach (var (name, value) in settings ?? [])
            all[name] = value;
        var log = new LogCollector(LogLevel.Warning);
        var host = await QueryHost.StartAsync(fixture, all, database, services => services.AddSingleton<ILoggerProvider>(log), builder =>
        {
            builder.AddBlobArchiver();
            builder.AddMetrics();
        });
        return new(host) { Log = log };
    }

    /// <summary>With events archived, counted and set aside, in several files.</summary>
    public static async Task<ReconciledPlatform> StartFilledAsync(PlatformFixture fixture, Dictionary<string, string?>? settings = null)
    {
        var platform = await StartAsync(fixture, settings);
        for (var i = 0; i < 600; i += 150)
        {
            await platform.PublishAsync(i, 150);
            await platform.DrainAsync();
        }

        return platform;
    }

    /// <summary>From now on events arrive as if it were so much earlier, or up to an hour more, and the beginning of an hour, so that they share one and it is over; zero: as it is.</summary>
    public Task ArriveEarlierAsync(TimeSpan age)
    {
        var now = DateTime.UtcNow;
        var then = now - age;
        _age = age == TimeSpan.Zero ? age : TimeSpan.FromSeconds(Math.Floor((now - then.AddTicks(-(then.Ticks % TimeSpan.TicksPerHour))).TotalSeconds));
        return Host.Archive.ExecuteAsync(
            $$"""
            CREATE OR REPLACE FUNCTION earlier() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.enqueued_at := NEW.enqueued_at - interval '{{(long)_age.TotalSeconds}} s'; RETURN NEW; END $$;
            CREATE OR REPLACE TRIGGER earlier BEFORE INSERT ON stream_batches FOR EACH ROW EXECUTE FUNCTION earlier()
            """);
    }

    /// <summary>Every tenth event is invalid, every seventh is hours late; a replay goes with each call.</summary>
    public async Task PublishAsync(int first, int count)
    {
        var publisher = Host.App.Services.GetInspectedPublisher();
        var now = DateTime.UtcNow - _age;
        var messages = Enumerable.Range(first, count).Select(i => Message(i, Event(i, now), MessageHeaders.Empty)).ToList();
        var replay = new MessageHeaders([new(HeaderNames.Origin, "replay"), new(HeaderNames.OriginId, "1")]);
        messages.Add(Message(first, Event(first + 1, now), replay));
        await publisher.PublishAsync(messages.ToArray(), [], CancellationToken.None);

        static Message Message(int i, string body, MessageHeaders headers) => new(Encoding.UTF8.GetBytes(body), Encoding.UTF8.GetBytes($"m-{i}"), default, Encoding.UTF8.GetBytes($"k-{i}"), headers);
    }

    public async Task PublishAsync(string body) => await Host.App.Services.GetInspectedPublisher().PublishAsync(
        new[] { new Message(Encoding.UTF8.GetBytes(body), Guid.NewGuid().ToByteArray(), default, default, MessageHeaders.Empty) }, [], CancellationToken.None);

    /// <summary>Publishes until stopped, no faster than it is archived.</summary>
    public async Task PublishUntilAsync(CancellationToken stop)
    {
        for (var i = 100_000; !stop.IsCancellationRequested; i += 50)
        {
            await PublishAsync(i, 50);
            await Eventually.TrueAsync(async () => await ScalarAsync<decimal>("SELECT sum(lag) FROM stream_lag") < 200, "the consumers follow");
        }
    }

    /// <summary>Nothing waits in the stream.</summary>
    public Task DrainAsync() => Eventually.TrueAsync(
        async () =>
        {
            var items = await Host.GetAllAsync("/v1/pipeline");
            return items.Count == 6 && items.All(i => i.GetProperty("lag").GetInt64() == 0);
        },
        "all is consumed");

    public Task<JsonElement> ReconcileAsync(string depth = "full", string range = "") => Host.GetAsync($"/v1/archive/reconciliation?depth={depth}{range}");

    /// <summary>Kind and subject of the findings.</summary>
    public static List<(string Kind, string Subject)> Findings(JsonElement report) =>
        [.. report.GetProperty("findings").EnumerateArray().Select(f => (f.GetProperty("kind").GetString()!, f.GetProperty("subject").GetString()!))];

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Host.Connections.Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The live file of that place in the order of writing.</summary>
    public Task<string> BlobAsync(int index = 0) => ScalarAsync<string>($"SELECT blob_name FROM raw_event_files WHERE state = 'live' ORDER BY file_id OFFSET {index} LIMIT 1");

    public async Task FlipByteAsync(string blobName)
    {
        var blob = Container.GetBlobClient(blobName);
        var bytes = (await blob.DownloadContentAsync()).Value.Content.ToArray();
        bytes[bytes.Length / 2] ^= 1;
        await blob.UploadAsync(new BinaryData(bytes), overwrite: true);
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    private static string Event(int i, DateTime now)
    {
        var (currency, amount) = Currencies[i % 3];
        return JsonSerializer.Serialize(new
        {
            transaction_id = $"tx-{i}",
            transaction_timestamp = now.AddSeconds(-i % 60).AddHours(i % 7 == 0 ? -5 : 0).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
            amount = i % 10 == 0 ? "-1" : amount,
            currency,
            payment_method = Methods[i % Methods.Length],
            payment_status = Statuses[i % 3],
            customer_id = $"c-{i % 20}",
        });
    }
}

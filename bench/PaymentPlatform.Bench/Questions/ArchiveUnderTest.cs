using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PaymentPlatform.LocalInfrastructure;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Bench.Questions;

/// <summary>A generated archive in PostgreSQL and Azurite, and the query service over it on a loopback port. With <c>--data DIR</c> the archive is kept and used again.</summary>
internal sealed class ArchiveUnderTest : IAsyncDisposable
{
    private const int DefaultEvents = 1_000_000;

    private readonly LocalPlatform _platform;
    private readonly string _directory;
    private readonly bool _keep;
    private WebApplication? _app;

    private ArchiveUnderTest(LocalPlatform platform, string directory, bool keep, int events)
    {
        (_platform, _directory, _keep, Events) = (platform, directory, keep, events);
        Peer = new(Path.Combine(directory, "files"));
    }

    public int Events { get; }

    /// <summary>DuckDB over copies of the same files.</summary>
    public DuckDbPeer Peer { get; }

    public HttpClient Http { get; private set; } = new();

    public IServiceProvider Services => _app!.Services;

    public static async Task<ArchiveUnderTest> OpenAsync(BenchArguments arguments)
    {
        var events = arguments.Number("events", DefaultEvents);
        var seed = arguments.Number("seed", 20260101);
        var directory = Directory.CreateDirectory(arguments.Data ?? Path.Combine(Path.GetTempPath(), $"archive-bench-{Guid.NewGuid():N}")).FullName;
        var platform = await LocalPlatform.StartAsync(new() { DataDirectory = directory, Progress = new Progress<string>(Console.WriteLine) }, CancellationToken.None);
        var archive = new ArchiveUnderTest(platform, directory, arguments.Data is not null, events);
        try
        {
            await archive.FillAsync(events, seed);
            await archive.RestartAsync(withCache: true);
            return archive;
        }
        catch
        {
            await archive.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the query service anew.</summary>
    /// <param name="withCache">False: without anything that an earlier run has fetched.</param>
    public async Task RestartAsync(bool withCache)
    {
        await StopAsync();
        var cache = Path.Combine(_directory, "query-cache");
        if (!withCache && Directory.Exists(cache))
            Directory.Delete(cache, recursive: true);
        _app = Build(cache);
        await _app.StartAsync();
        Http = new() { BaseAddress = new(_app.Urls.First()), Timeout = TimeSpan.FromMinutes(10) };
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Peer.Dispose();
        await _platform.DisposeAsync();
        if (!_keep)
            Directory.Delete(_directory, recursive: true);
    }

    private async Task FillAsync(int events, int seed)
    {
        var marker = Path.Combine(_directory, "archive.json");
        if (File.Exists(marker))
        {
            var (has, of) = JsonSerializer.Deserialize<Marker>(await File.ReadAllTextAsync(marker))!;
            if (has != events || of != seed)
                throw new InvalidOperationException($"{_directory} holds {has} events of seed {of}: say --events {has} --seed {of}, or take another --data.");
            return;
        }

        await using var app = Build(Path.Combine(_directory, "query-cache"));
        var connections = app.Services.GetRequiredService<HybridConnectionManager>();
        await DatabaseMigrator.MigrateAsync(connections.Database, NullLogger.Instance, CancellationToken.None);
        var watch = Stopwatch.StartNew();
        var files = await new GeneratedArchive(connections, Peer.Directory).WriteAsync(events, seed);
        await using (var analyze = connections.Database.CreateCommand("ANALYZE"))
            await analyze.ExecuteNonQueryAsync();
        Console.WriteLine($"{events:N0} events archived in {files:N0} files in {watch.Elapsed.TotalSeconds:N0} s (generated, parsed, encoded, checked, stored).");
        await File.WriteAllTextAsync(marker, JsonSerializer.Serialize(new Marker(events, seed)));
    }

    private WebApplication Build(string cache)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:paymentsdb"] = _platform.DatabaseConnectionString,
            ["ConnectionStrings:blobs"] = _platform.BlobConnectionString,
            ["Query:CacheDirectory"] = cache,
            ["Query:CacheBytes"] = $"{64L << 30}",
        });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddAccessFor(null);
        builder.AddQuery();
        var app = builder.Build();
        app.UseAccess();
        app.MapQuery();
        return app;
    }

    private async Task StopAsync()
    {
        Http.Dispose();
        if (_app is null)
            return;
        await _app.StopAsync();
        await _app.DisposeAsync();
        _app = null;
    }

    private sealed record Marker(int Events, int Seed);
}

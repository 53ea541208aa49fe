using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

/// <summary>The service on a loopback port with a database and a container of its own.</summary>
public sealed class QueryHost : IAsyncDisposable
{
    private readonly bool _ownsCache;

    private QueryHost(WebApplication app, string cacheDirectory, bool ownsCache)
    {
        _ownsCache = ownsCache;
        App = app;
        CacheDirectory = cacheDirectory;
        Address = new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Client = new() { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(3) };
        Archive = new(Connections);
    }

    public WebApplication App { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public TestArchive Archive { get; }

    public string CacheDirectory { get; }

    public HybridConnectionManager Connections => App.Services.GetRequiredService<HybridConnectionManager>();

    public static async Task<QueryHost> StartAsync(PlatformFixture platform, Dictionary<string, string?>? settings = null, string? database = null, Action<IServiceCollection>? services = null, Action<IHostApplicationBuilder>? add = null)
    {
        database ??= await platform.CreateDatabaseAsync();
        var connections = platform.Connect(database);
        var given = settings?.GetValueOrDefault("Query:CacheDirectory");
        var cache = given ?? Directory.CreateTempSubdirectory("query-test-cache-").FullName;
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:paymentsdb"] = database,
            ["ConnectionStrings:blobs"] = platform.BlobConnectionString,
            ["Storage:Container"] = connections.RawEvents.Name,
            ["Storage:MinPoolSize"] = "0",
            ["Query:CacheDirectory"] = cache,
        });
        if (settings is not null)
            builder.Configuration.AddInMemoryCollection(settings);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddAccessFor(null);
        builder.AddQuery();
        add?.Invoke(builder);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        try
        {
            app.UseAccess();
            app.MapQuery();
            await app.StartAsync();
            return new(app, cache, ownsCache: given is null);
        }
        catch
        {
            await app.DisposeAsync();
            if (given is null)
                Directory.Delete(cache, recursive: true);
            throw;
        }
    }

    /// <summary>For <see cref="StartAsync"/>: a cache that small files fill, smaller than may be set.</summary>
    public static Action<IServiceCollection> WithCacheOf(long bytes) => services => services.RemoveAll<IValidateOptions<QueryOptions>>().Configure<QueryOptions>(options => options.CacheBytes = bytes);

    public async Task<JsonElement> GetAsync(string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await Client.GetAsync(path);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{path}: {(int)response.StatusCode} {text}");
        Assert.Equal(expected == HttpStatusCode.OK ? "application/json" : "application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return JsonDocument.Parse(text, new() { MaxDepth = 1000 }).RootElement;
    }

    public async Task<string> GetTextAsync(string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return text;
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Connections.Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>All pages of a list, one after the other.</summary>
    public async Task<List<JsonElement>> GetAllAsync(string path)
    {
        var items = new List<JsonElement>();
        for (string? cursor = null; ;)
        {
            var page = await GetAsync(cursor is null ? path : $"{path}{(path.Contains('?') ? '&' : '?')}cursor={cursor}");
            items.AddRange(page.GetProperty("items").EnumerateArray());
            cursor = page.GetProperty("next_cursor").GetString();
            if (cursor is null)
                return items;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Archive.Dispose();
        Client.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
        if (_ownsCache)
            Directory.Delete(CacheDirectory, recursive: true);
    }
}

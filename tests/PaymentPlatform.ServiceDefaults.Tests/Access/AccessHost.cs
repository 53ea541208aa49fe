using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PaymentPlatform.ServiceDefaults.Access;
using PaymentPlatform.Testing;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

/// <summary>A small service behind the same door as the real ones, on a loopback port.</summary>
internal sealed class AccessHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AccessHost(WebApplication app, LogCollector logs)
    {
        _app = app;
        Logs = logs;
        Client = new() { BaseAddress = new(app.Urls.First()) };
    }

    public HttpClient Client { get; }

    public LogCollector Logs { get; }

    public static async Task<AccessHost> StartAsync(
        Dictionary<string, string?> settings, string environment = "Production", Action<WebApplicationBuilder>? register = null, Action<WebApplication>? map = null)
    {
        var app = Build(settings, out var logs, environment, register, map);
        try
        {
            await app.StartAsync();
            return new(app, logs);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, headers);

    public async Task<Answer> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value), name);
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new(response.StatusCode, text, response.Content.Headers.ContentType?.MediaType, [.. response.Headers.WwwAuthenticate.Select(challenge => challenge.ToString())], response.Headers.RetryAfter?.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    private static WebApplication Build(Dictionary<string, string?> settings, out LogCollector logs, string environment, Action<WebApplicationBuilder>? register, Action<WebApplication>? map)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection(settings);
        register?.Invoke(builder);
        builder.AddServiceDefaults();
        logs = new();
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.WebHost.UseUrls("http://127.0.0.1:0");

        var app = builder.Build();
        app.UseProblemAnswers();
        app.UseAccess();
        app.MapDefaultEndpoints();
        app.MapGet("/", () => "page").RequireRole(AccessRole.Read).WithBrowserSignIn();
        app.MapGet("/read", (HttpContext context) => context.User.Identity?.Name ?? "nobody").RequireRole(AccessRole.Read);
        app.MapPost("/ingest", () => "taken").RequireRole(AccessRole.Ingest);
        app.MapPost("/operate/{id}", (string id) => id == "fail" ? throw new InvalidOperationException("no") : TypedResults.Accepted("/read")).RequireRole(AccessRole.Operate);
        map?.Invoke(app);
        return app;
    }

    internal sealed record Answer(HttpStatusCode Status, string Text, string? MediaType, string[] Challenges, string? RetryAfter)
    {
        public string Detail => JsonDocument.Parse(Text).RootElement.GetProperty("detail").GetString()!;
    }
}

using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Ingest.Tests;

/// <summary>The service on a real Kestrel, on a loopback port of its own.</summary>
internal sealed class IngestHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private IngestHost(WebApplication app, LogCollector logs)
    {
        _app = app;
        Logs = logs;
        Client = new() { BaseAddress = new(app.Urls.First()), Timeout = TimeSpan.FromMinutes(2) };
    }

    public HttpClient Client { get; }

    public LogCollector Logs { get; }

    public ByteBudget Budget => _app.Services.GetRequiredService<ByteBudget>();

    public IServiceProvider Services => _app.Services;

    public static Task<IngestHost> StartAsync(MessagePublisher publisher, params (string Key, string Value)[] settings) =>
        StartAsync(
            builder =>
            {
                builder.Services.AddSingleton(publisher);
                builder.AddTransactionIngest();
            },
            settings);

    public static async Task<IngestHost> StartAsync(Action<WebApplicationBuilder> register, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Test", ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(settings.Select(s => new KeyValuePair<string, string?>(s.Key, s.Value)));
        var logs = new LogCollector();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(logs);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddAccessFor(null);
        register(builder);
        var app = builder.Build();
        app.UseAccess();
        app.MapIngest();
        await app.StartAsync();
        return new(app, logs);
    }

    public Task<Answer> PostAsync(string body, string mediaType, params (string Name, string Value)[] headers) =>
        PostAsync(TestEvents.Bytes(body), mediaType, headers);

    public Task<Answer> PostAsync(byte[] body, string? mediaType, params (string Name, string Value)[] headers) =>
        PostAsync(new ByteArrayContent(body), mediaType, headers);

    public async Task<Answer> PostAsync(HttpContent content, string? mediaType, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/transactions") { Content = content };
        content.Headers.ContentType = mediaType is null ? null : MediaTypeHeaderValue.Parse(mediaType);
        foreach (var (name, value) in headers)
        {
            if (name == "Content-Encoding")
                content.Headers.TryAddWithoutValidation(name, value);
            else
                request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await Client.SendAsync(request);
        return new(
            (int)response.StatusCode,
            await response.Content.ReadAsStringAsync(),
            response.Content.Headers.ContentType?.MediaType ?? "",
            response.Headers.RetryAfter?.ToString());
    }

    /// <summary>A connection of its own that has sent the head of a request with a body of so many bytes.</summary>
    public async Task<Socket> OpenRawAsync(string mediaType, long contentLength, string? idempotencyKey = null)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", Client.BaseAddress!.Port);
        var key = idempotencyKey is null ? "" : $"Idempotency-Key: {idempotencyKey}\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: {mediaType}\r\nContent-Length: {contentLength}\r\n{key}\r\n"));
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    internal sealed record Answer(int Status, string Text, string MediaType, string? RetryAfter)
    {
        public JsonElement Json => JsonDocument.Parse(Text).RootElement;

        public long Accepted => Json.GetProperty("accepted").GetInt64();

        public long RejectedCount => Json.GetProperty("rejected_count").GetInt64();

        public JsonElement Rejected => Json.GetProperty("rejected");

        public string FirstConstraint(int rejection = 0) => Rejected[rejection].GetProperty("errors")[0].GetProperty("constraint").GetString()!;
    }
}

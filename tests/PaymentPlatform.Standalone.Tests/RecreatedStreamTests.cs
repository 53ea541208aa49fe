using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

public sealed class RecreatedStreamTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("platform-recreated-").FullName;

    [Fact]
    public async Task Run_StreamDroppedAndMadeAgain_IsReadFromItsBeginning()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var platform = await PlatformProcess.RunAsync(_data, "--simulator off", cancellationToken: cancellation);
        var connections = await platform.ConnectionsAsync(cancellation);
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        await PostAsync(platform.Url, "before", 50, cancellation);
        await Eventually.TrueAsync(async () => await ArchivedAsync(database) == 50, "the first log's events are archived");
        var first = await LogIdAsync(database);

        await using (var drop = database.CreateCommand("DELETE FROM stream_logs WHERE stream = 'payments'"))
            await drop.ExecuteNonQueryAsync(cancellation);
        // Whoever notices first makes the stream again; until then ingest answers 503 and nothing is lost.
        await PostAsync(platform.Url, "after", 30, cancellation);

        await Eventually.TrueAsync(async () => await ArchivedAsync(database) == 80, "the second log is archived from its beginning", TimeSpan.FromSeconds(60));
        Assert.NotEqual(first, await LogIdAsync(database));
        await Eventually.TrueAsync(async () => (await Archive.LiveFiguresAsync(connections, cancellation)).Sum(row => long.Parse(row.Split('|')[4])) == 80, "both logs are counted");
        Assert.Equal(0, await platform.StopAsync(cancellation));
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static async Task PostAsync(Uri url, string prefix, int count, CancellationToken cancellation)
    {
        var lines = Enumerable.Range(0, count).Select(i =>
            $$"""{"transaction_id":"{{prefix}}-{{i}}","transaction_timestamp":"2025-12-05T10:00:00Z","amount":1.50,"currency":"EUR","payment_method":"credit_card","payment_status":"completed"}""");
        using var http = new HttpClient { BaseAddress = url };
        await Eventually.TrueAsync(async () =>
        {
            using var body = new StringContent(string.Join('\n', lines), Encoding.UTF8, new MediaTypeHeaderValue("application/x-ndjson"));
            using var request = new HttpRequestMessage(HttpMethod.Post, "v1/transactions") { Content = body };
            request.Headers.Add("Idempotency-Key", prefix);
            using var answer = await http.SendAsync(request, cancellation);
            return answer.StatusCode == HttpStatusCode.Accepted;
        }, $"{prefix} is accepted");
    }

    private static async Task<long> ArchivedAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("SELECT coalesce(sum(row_count), 0)::bigint FROM raw_event_files WHERE state = 'live'");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task<string?> LogIdAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("SELECT log_id FROM stream_logs WHERE stream = 'payments'");
        return (string?)await command.ExecuteScalarAsync();
    }
}

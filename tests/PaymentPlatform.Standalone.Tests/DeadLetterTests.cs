using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>A dead letter's whole life: it comes over the stream, is set aside, corrected and sent again, and counts once.</summary>
public sealed class DeadLetterTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("platform-dead-letters-").FullName;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_InvalidEventCorrectedAndResubmitted_CountsOnceAndIsArchivedAsResubmission(bool isKafka)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var broker = isKafka ? new MockKafka(describesTopics: false) : null;
        Dictionary<string, string> settings = broker is null
            ? []
            : new() { ["Streaming:Transport"] = "Kafka", ["ConnectionStrings:payments"] = broker.Address, ["Streaming:LeaseDuration"] = "00:00:06" };
        await using var platform = await PlatformProcess.RunAsync(
            _data, "--simulator off -- --Archiver:FlushAge=00:00:01 " + string.Join(' ', settings.Select(s => $"--{s.Key}={s.Value}")), cancellationToken: cancellation);
        var connections = await platform.ConnectionsAsync(cancellation);
        using var http = new HttpClient { BaseAddress = platform.Url };
        await StreamProducer.PublishAsync(connections, [Event("tx-1", "EURO"), Event("tx-2", "EURO"), Event("tx-3", "EUR"), Event("tx-4", "EURO")], cancellation, settings: settings);

        var items = new List<JsonElement>();
        await Eventually.TrueAsync(async () => (items = await ItemsAsync(http, "", cancellation)).Count == 3, "three dead letters");
        var ids = items.ToDictionary(i => i.GetProperty("transaction_id").GetString()!, i => i.GetProperty("id").GetInt64());
        // The same call twenty times, and as it is: not valid.
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => http.PostAsync($"v1/failed-items/{ids["tx-1"]}/resubmit?notes=typo", Json(Event("tx-1", "EUR")), cancellation)));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        using (var invalid = await http.PostAsync($"v1/failed-items/{ids["tx-2"]}/resubmit", null, cancellation))
            Assert.Equal(HttpStatusCode.UnprocessableEntity, invalid.StatusCode);
        using (var discarded = await http.PostAsync($"v1/failed-items/{ids["tx-2"]}/discard", Json("""{"notes": "a test of theirs"}"""), cancellation))
            Assert.Equal(HttpStatusCode.OK, discarded.StatusCode);

        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        await Eventually.TrueAsync(async () => await ScalarAsync(database, "SELECT coalesce(sum(row_count), 0)::bigint FROM raw_event_files WHERE state = 'live'") == 5, "all archived");
        await Eventually.TrueAsync(async () => await ScalarAsync(database, "SELECT coalesce(sum(total_count), 0)::bigint FROM payment_metrics_5m") == 2, "both valid events counted");
        await Eventually.TrueAsync(async () => await ScalarAsync(database, "SELECT coalesce(sum(lag), -1)::bigint FROM stream_lag") == 0, "all read");
        using (var archive = await Archive.OpenAsync(connections, cancellation))
        {
            var row = Assert.Single(archive.Query("SELECT transaction_id, message_id, origin_id, is_valid, duplicate FROM events WHERE origin = 'resubmission'"));
            Assert.Equal(["tx-1", $"resubmission-{ids["tx-1"]}", $"{ids["tx-1"]}", true, false], row);
            Assert.Equal(archive.Figures(), await Archive.LiveFiguresAsync(connections, cancellation));
            Assert.Equal(2, archive.Figures().Sum(f => int.Parse(f.Split('|')[4], System.Globalization.CultureInfo.InvariantCulture)));
        }

        Assert.Equal(["tx-1"], (await ItemsAsync(http, "?status=resubmitted", cancellation)).Select(i => i.GetProperty("transaction_id").GetString()));
        Assert.Equal(["tx-2"], (await ItemsAsync(http, "?status=discarded", cancellation)).Select(i => i.GetProperty("transaction_id").GetString()));
        Assert.Equal(["tx-4"], (await ItemsAsync(http, "?status=pending", cancellation)).Select(i => i.GetProperty("transaction_id").GetString()));
        var trail = await http.GetFromJsonAsync<JsonElement>("v1/transactions/tx-1", cancellation);
        Assert.Equal([false, true], trail.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("is_valid").GetBoolean()));
        Assert.Equal(0, await platform.StopAsync(cancellation));
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static string Event(string transaction, string currency) =>
        $$"""{"transaction_id":"{{transaction}}","transaction_timestamp":"2026-01-01T10:00:00Z","amount":10.00,"currency":"{{currency}}","payment_method":"credit_card","payment_status":"completed","customer_id":"C1"}""";

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static async Task<List<JsonElement>> ItemsAsync(HttpClient http, string query, CancellationToken cancellation) =>
        [.. (await http.GetFromJsonAsync<JsonElement>("v1/failed-items" + query, cancellation)).GetProperty("items").EnumerateArray()];

    private static async Task<long> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>Card data is refused at the door; what other producers put into the stream is nowhere afterwards, not even in the stream.</summary>
public sealed class CardDataTests : IDisposable
{
    private const string Cvv = "cvv-737-secret";

    /// <summary>The brands' public test numbers.</summary>
    private static readonly string[] Numbers =
    [
        "4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3530111333300000", "30569309025904",
    ];

    private readonly string _data = Directory.CreateTempSubdirectory("platform-card-").FullName;

    [Fact]
    public async Task Run_CardDataOverHttpAndOverTheStream_IsRefusedAndFoundNowhere()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var platform = await PlatformProcess.RunAsync(_data, "--simulator off", cancellationToken: cancellation);
        var connections = await platform.ConnectionsAsync(cancellation);

        using var http = new HttpClient { BaseAddress = platform.Url };
        foreach (var payload in Payloads())
        {
            using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(payload));
            body.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var answer = await http.PostAsync("v1/transactions", body, cancellation);
            Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.UnprocessableEntity, HttpStatusCode.BadRequest });
            AssertClean(await answer.Content.ReadAsStringAsync(cancellation), "the answer");
        }

        var count = Payloads().Count();
        await StreamProducer.PublishAsync(connections, [.. Payloads()], cancellation, services => AssertStreamCleanAsync(services, count, cancellation));
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        await Eventually.TrueAsync(async () => await ScalarAsync(database, "SELECT coalesce(sum(row_count), 0)::bigint FROM raw_event_files WHERE state = 'live'") == count, "all archived");
        await Eventually.TrueAsync(async () => await ScalarAsync(database, "SELECT coalesce(sum(lag), -1)::bigint FROM stream_lag") == 0, "all read");

        using (var archive = await Archive.OpenAsync(connections, cancellation))
        {
            var rows = archive.Query("SELECT COLUMNS(*)::VARCHAR FROM events");
            Assert.Equal(count, rows.Length);
            foreach (var value in rows.SelectMany(row => row))
                AssertClean(value as string ?? "", "a blob");
        }

        await AssertTablesCleanAsync(database, cancellation);
        Assert.Equal(0, await platform.StopAsync(cancellation));
        AssertClean(platform.Output, "the console");
        foreach (var log in Directory.GetFiles(Path.Combine(_data, "logs"), "*", SearchOption.AllDirectories).Concat(Directory.GetFiles(_data, "*.log", SearchOption.AllDirectories)))
            AssertClean(await File.ReadAllTextAsync(log, cancellation), log);
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static IEnumerable<string> Payloads()
    {
        foreach (var number in Numbers)
        {
            var spaced = string.Join(' ', number.Chunk(4).Select(c => new string(c)));
            var dashed = spaced.Replace(' ', '-');
            yield return Event($"\"merchant_name\":\"card {number}\"");
            yield return Event($"\"metadata\":{{\"note\":\"{spaced}\"}}");
            yield return Event($"\"metadata\":{{\"deep\":[{{\"n\":{number}}}]}}");
            yield return Event($"\"unknown_field\":\"{dashed}\"");
            yield return Event($"\"metadata\":{{\"{number}\":1}}");
            yield return Event($"\"channel\":\"\\u00{(int)number[0]:x2}{number[1..]}\"");
            yield return $"not json at all {number}";
            yield return Event($"\"customer_email\":\"{number}@example.org\"", amount: "-5");
        }

        yield return Event($"\"metadata\":{{\"cvv\":\"{Cvv}\"}}");
        yield return Event($"\"cvv2\":\"{Cvv}\"");
        yield return Event($"\"metadata\":{{\"track1\":\"{Cvv}\",\"pin\":\"{Cvv}\"}}");
    }

    private static string Event(string more, string amount = "10.00") =>
        $$"""{"transaction_id":"{{Guid.NewGuid()}}","transaction_timestamp":"{{DateTime.UtcNow:O}}","amount":{{amount}},"currency":"EUR","payment_method":"credit_card","payment_status":"completed","customer_id":"C1",{{more}}}""";

    /// <summary>The stream's table is compressed: its events are read as the platform reads them.</summary>
    private static async Task AssertStreamCleanAsync(IServiceProvider services, int count, CancellationToken cancellation)
    {
        var ranges = new List<OffsetRange>();
        await using (var partitions = services.GetRequiredService<NpgsqlDataSource>().CreateCommand(
            "SELECT l.stream, l.log_id, p.partition_id, p.first_offset, p.next_offset FROM stream_logs l JOIN stream_partitions p USING (log_id) WHERE p.next_offset > p.first_offset"))
        await using (var reader = await partitions.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
                ranges.Add(new(new(reader.GetString(0), reader.GetString(1), reader.GetInt32(2)), reader.GetInt64(3), reader.GetInt64(4)));
        }

        var seen = 0;
        foreach (var range in ranges)
        {
            await foreach (var batch in services.GetRequiredService<StreamRangeReader>().ReadAsync(range, cancellation))
            {
                using (batch)
                {
                    foreach (ref readonly var received in batch.Messages)
                    {
                        AssertClean(Encoding.UTF8.GetString(received.Message.Body.Span), "the stream");
                        Assert.Equal("masked", received.Message.Headers["card_data"]);
                        seen++;
                    }
                }
            }
        }

        Assert.Equal(count, seen);
    }

    private static async Task<long> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task AssertTablesCleanAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        var tables = new List<string>();
        await using (var list = database.CreateCommand("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"))
        await using (var reader = await list.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
                tables.Add(reader.GetString(0));
        }

        Assert.Contains("failed_items", tables);
        foreach (var table in tables)
        {
            await using var rows = database.CreateCommand($"SET bytea_output = 'escape'; SELECT t::text FROM \"{table}\" t");
            await using var reader = await rows.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
                AssertClean(reader.GetString(0), table);
        }
    }

    private static void AssertClean(string text, string where)
    {
        var digits = text.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        foreach (var number in Numbers)
        {
            Assert.False(digits.Contains(number, StringComparison.Ordinal), $"{where} holds a card number: {text}");
            Assert.False(text.Contains($"\\u00{(int)number[0]:x2}{number[1..]}", StringComparison.Ordinal), $"{where} holds an escaped card number: {text}");
        }

        Assert.False(text.Contains(Cvv, StringComparison.Ordinal), $"{where} holds a secret: {text}");
    }
}

using System.Net;
using System.Text;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace PaymentPlatform.Query.Tests.FailedItems;

/// <summary>Makes dead letters as the metrics service does, and calls what changes them.</summary>
internal static class DeadLetters
{
    /// <summary>A valid event.</summary>
    public static string Event(string transaction = "tx-1", string more = "") =>
        $$"""{"transaction_id": "{{transaction}}", "transaction_timestamp": "2026-01-01T10:00:00Z", "amount": 12.50, "currency": "EUR", "payment_method": "credit_card", "payment_status": "completed", "customer_id": "C-1"{{more}}}""";

    /// <summary>One that no parser takes.</summary>
    public static string BadEvent(string transaction = "tx-1") => Event(transaction).Replace("EUR", "EURO");

    /// <returns>Its id.</returns>
    public static async Task<long> AddAsync(QueryHost host, string payload, string errorType = "currency", string correlation = "corr-1", int minute = 0)
    {
        await using var command = host.Connections.Database.CreateCommand(
            """
            INSERT INTO failed_items (stream, log_id, partition_id, stream_offset, message_id, transaction_id, correlation_id, error_type, error_message, errors, raw_payload, enqueued_at, failed_at)
            SELECT 'payments', 'log-1', 0, coalesce(max(stream_offset), -1) + 1, 'm-1', 'tx-1', $3, $2, 'It is wrong.', '[]', $1, TIMESTAMPTZ '2026-01-01Z', TIMESTAMPTZ '2026-01-01Z' + $4 * interval '1 minute' FROM failed_items
            RETURNING id
            """);
        command.Parameters.Add(new() { Value = Encoding.UTF8.GetBytes(payload), NpgsqlDbType = NpgsqlDbType.Bytea });
        command.Parameters.Add(new() { Value = errorType });
        command.Parameters.Add(new() { Value = correlation });
        command.Parameters.Add(new() { Value = minute });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <param name="body">Null for none.</param>
    public static async Task<(HttpStatusCode Status, JsonElement Answer)> PostAsync(QueryHost host, string path, string? body = null, string type = "application/json")
    {
        using var content = body is null ? null : new StringContent(body, Encoding.UTF8, type);
        using var response = await host.Client.PostAsync("/v1/failed-items/" + path, content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(response.IsSuccessStatusCode ? "application/json" : "application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return (response.StatusCode, JsonDocument.Parse(text).RootElement);
    }

    public static async Task<JsonElement> PostOkAsync(QueryHost host, string path, string? body = null)
    {
        var (status, answer) = await PostAsync(host, path, body);
        Assert.True(status == HttpStatusCode.OK, $"{path}: {status} {answer}");
        return answer;
    }

    public static string? Text(this JsonElement item, string name) => item.GetProperty(name).GetString();

    public static async Task<List<string>> ActionsAsync(QueryHost host, long id) =>
        [.. (await host.GetAsync($"/v1/failed-items/{id}")).GetProperty("history").EnumerateArray().Select(c => c.Text("action")!)];

    /// <summary>How many items there are in each status, and of all.</summary>
    public static async Task<Dictionary<string, int>> CountsAsync(QueryHost host) =>
        (await host.GetAllAsync("/v1/failed-items?limit=1000")).CountBy(i => i.Text("status")!).ToDictionary();

    public static Task AgeMarksAsync(QueryHost host) => host.Archive.ExecuteAsync("UPDATE failed_item_sends SET requested_at = requested_at - interval '61 seconds'");
}

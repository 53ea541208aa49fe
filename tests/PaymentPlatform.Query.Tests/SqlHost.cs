using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace PaymentPlatform.Query.Tests;

/// <summary><c>POST /v1/sql</c> as a caller makes it.</summary>
internal static class SqlHost
{
    public static async Task<(HttpStatusCode Status, JsonElement Body, string Text)> PostSqlAsync(this QueryHost host, string sql, object? more = null)
    {
        var body = JsonSerializer.SerializeToNode(more ?? new { })!.AsObject();
        body["sql"] = sql;
        using var response = await host.Client.PostAsJsonAsync("/v1/sql", body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(response.IsSuccessStatusCode ? "application/json" : "application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return (response.StatusCode, JsonDocument.Parse(text, new() { MaxDepth = 1000 }).RootElement, text);
    }

    public static async Task<JsonElement> SqlAsync(this QueryHost host, string sql, object? more = null)
    {
        var (status, body, text) = await host.PostSqlAsync(sql, more);
        Assert.True(status == HttpStatusCode.OK, $"{sql}: {(int)status} {text}");
        return body;
    }

    /// <summary>The rows' JSON.</summary>
    public static async Task<string> RowsAsync(this QueryHost host, string sql, object? more = null) => (await host.SqlAsync(sql, more)).GetProperty("rows").GetRawText();
}

using System.Text.Json;

namespace PaymentPlatform.Query.Sql;

/// <summary>The body of <c>POST /v1/sql</c>.</summary>
/// <param name="From">Microseconds since the Unix epoch, inclusive; null: no bound.</param>
/// <param name="To">Exclusive.</param>
/// <param name="Limit">Rows at most.</param>
internal sealed record SqlRequest(string Sql, long? From, long? To, long Limit)
{
    /// <summary>Characters of a statement.</summary>
    public const int MaxLength = 32 << 10;

    private const int MaxBytes = 256 << 10;
    private const string Known = "sql, from, to, limit";

    /// <returns>The request, or the answer that says what is wrong with it.</returns>
    public static async Task<(SqlRequest? Request, IResult? Fault)> ReadAsync(HttpRequest request, long maxRows, CancellationToken cancellationToken)
    {
        var (document, fault) = await RequestBody.ReadObjectAsync(
            request, MaxBytes, "a JSON object with the text 'sql'", "{\"sql\": \"SELECT count(*) FROM events\"}", mayBeEmpty: false, cancellationToken);
        if (document is null)
            return (null, fault);
        using (document)
            return Read(document.RootElement, maxRows);
    }

    private static (SqlRequest? Request, IResult? Fault) Read(JsonElement body, long maxRows)
    {
        var errors = new Dictionary<string, string[]>();
        var given = new HashSet<string>();
        string? sql = null;
        long? from = null, to = null;
        var limit = maxRows;
        foreach (var member in body.EnumerateObject())
        {
            var error = member.Name switch
            {
                _ when !given.Add(member.Name) => "Give it once.",
                "sql" => Statement(member.Value, out sql),
                "from" => Time(member.Value, out from),
                "to" => Time(member.Value, out to),
                "limit" => Rows(member.Value, maxRows, ref limit),
                _ => $"There is no such member here. Known: {Known}.",
            };
            if (error is not null)
                errors[member.Name] = [error];
        }

        if (!given.Contains("sql"))
            errors.Add("sql", ["It is missing. Give a SELECT, for example SELECT count(*) FROM events."]);
        if (from > to)
            errors.TryAdd("from", ["It is after 'to'."]);
        return errors.Count == 0
            ? (new(sql!, from, to, limit), null)
            : (null, TypedResults.ValidationProblem(errors, detail: string.Join(" ", errors.Select(e => $"{e.Key}: {e.Value[0]}")), title: "Bad request"));
    }

    private static string? Statement(JsonElement value, out string? sql)
    {
        sql = Text(value);
        return sql switch
        {
            null => "Expected the text of a SELECT.",
            { Length: > MaxLength } => $"At most {MaxLength} characters.",
            _ => null,
        };
    }

    private static string? Time(JsonElement value, out long? micros)
    {
        micros = null;
        if (value.ValueKind == JsonValueKind.Null)
            return null;
        if (Text(value) is not { } text || !Timestamps.TryParse(text, out var time))
            return "Expected a time as RFC 3339 writes it, for example 2026-01-31T08:00:00Z.";
        micros = time;
        return null;
    }

    private static string? Rows(JsonElement value, long maxRows, ref long limit)
    {
        if (value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var rows) || rows < 1 || rows > maxRows)
            return $"Expected a whole number from 1 to {maxRows} ({QueryOptions.Section}:{nameof(QueryOptions.SqlRows)}).";
        limit = rows;
        return null;
    }

    /// <summary>Null where it is no text.</summary>
    private static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

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

    /// <returns>The request, or the answer that says what is wrong with it.</returns>
    public static async Task<(SqlRequest? Request, IResult? Fault)> ReadAsync(HttpRequest request, long maxRows, CancellationToken cancellationToken)
    {
        var (document, fault) = await RequestBody.ReadObjectAsync(
            request, MaxBytes, "a JSON object with the text 'sql'", "{\"sql\": \"SELECT count(*) FROM events\"}", mayBeEmpty: false, cancellationToken);
        if (document is null)
            return (null, fault);
        using (document)
            return Read(new(document.RootElement), maxRows);
    }

    private static (SqlRequest? Request, IResult? Fault) Read(JsonMembers body, long maxRows)
    {
        var sql = body.Text("sql", MaxLength, mayBeEmpty: true);
        if (sql is null)
            body.Fail("sql", "It is missing. Give a SELECT, for example SELECT count(*) FROM events.");
        var (from, to) = (body.Time("from"), body.Time("to"));
        if (from > to)
            body.Fail("from", "It is after 'to'.");
        var limit = body.Integer("limit", maxRows, 1, maxRows, $"{QueryOptions.Section}:{nameof(QueryOptions.SqlRows)}");
        return body.Problem() is { } problem ? (null, problem) : (new(sql!, from, to, limit), null);
    }
}

using System.Globalization;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>The body of a change by filter.</summary>
/// <param name="Filter">Of pending items.</param>
/// <param name="Limit">Items that the call takes on at most.</param>
/// <param name="After">Items of higher ids only.</param>
/// <param name="Remaining">How many those were when the step before ended, as it was counted at the first; null at the first.</param>
internal sealed record FailedItemsRequest(FailedItemFilter Filter, string? Notes, int Limit, long After, long? Remaining)
{
    private const int MaxBytes = 16 << 10;
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    public static string CursorOf(long after, long remaining) => string.Create(CultureInfo.InvariantCulture, $"{after}-{remaining}");

    /// <returns>The request, or the answer that says what is wrong with it.</returns>
    public static async Task<(FailedItemsRequest? Request, IResult? Fault)> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var (document, fault) = await RequestBody.ReadObjectAsync(
            request, MaxBytes, "a JSON object with 'filter' or 'all'", "{\"filter\": {\"error_type\": \"currency\"}, \"notes\": \"ticket 4711\", \"limit\": 100}", mayBeEmpty: false, cancellationToken);
        if (document is null)
            return (null, fault);
        using (document)
            return Read(new(document.RootElement));
    }

    private static (FailedItemsRequest? Request, IResult? Fault) Read(JsonMembers body)
    {
        var members = body.Object("filter");
        // Only pending items can be changed; the name is taken so that the filter of a list can be taken over.
        members.Choice("status", FailedItemStatus.Pending);
        var filter = new FailedItemFilter(FailedItemStatus.Pending, members.Text("error_type"), members.Time("from"), members.Time("to"));
        if (filter.From > filter.To)
            members.Fail("from", "It is after 'to'.");
        var all = body.Boolean("all");
        var isNarrow = filter is not { ErrorType: null, From: null, To: null };
        if (!isNarrow && !all)
            body.Fail("filter", "It does not narrow: give 'error_type', 'from' or 'to', or say \"all\": true.");
        if (isNarrow && all)
            body.Fail("all", "There is a filter as well. Leave one of them out.");
        var (notes, limit) = (body.Text("notes"), (int)body.Integer("limit", DefaultLimit, 1, MaxLimit));
        var (after, remaining) = (0L, (long?)null);
        if (body.Text("cursor") is { } cursor && !TryParse(cursor, out after, out remaining))
            body.Fail("cursor", "Not a cursor of this call. Use next_cursor of the answer before, unchanged.");
        return body.Problem() is { } problem ? (null, problem) : (new(filter, notes, limit, after, remaining), null);
    }

    private static bool TryParse(string cursor, out long after, out long? remaining)
    {
        var dash = cursor.IndexOf('-');
        var isCounted = long.TryParse(cursor.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count);
        // Cursors of before had no count.
        remaining = dash < 0 ? null : count;
        return long.TryParse(dash < 0 ? cursor : cursor.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out after) && isCounted;
    }
}

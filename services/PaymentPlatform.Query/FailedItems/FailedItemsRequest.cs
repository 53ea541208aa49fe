using System.Globalization;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>The body of a change by filter.</summary>
/// <param name="Filter">Of pending items.</param>
/// <param name="Limit">Items that the call takes on at most.</param>
/// <param name="After">Items of higher ids only.</param>
/// <param name="Remaining">How many those were when the step before ended, as it was counted at the first; null at the first.</param>
/// <param name="Question">What is done and to which items: the cursor belongs to it.</param>
internal sealed record FailedItemsRequest(FailedItemFilter Filter, string? Notes, int Limit, long After, long? Remaining, string Question)
{
    private const int MaxBytes = 16 << 10;
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    /// <summary>For the next step.</summary>
    public string CursorOf(long after, long remaining) => BoundCursor.Bind(string.Create(CultureInfo.InvariantCulture, $"{after}-{remaining}"), Question);

    /// <param name="status">Where the items are to be.</param>
    /// <returns>The request, or the answer that says what is wrong with it.</returns>
    public static async Task<(FailedItemsRequest? Request, IResult? Fault)> ReadAsync(HttpRequest request, string status, CancellationToken cancellationToken)
    {
        var (document, fault) = await RequestBody.ReadObjectAsync(
            request, MaxBytes, "a JSON object with 'filter' or 'all'", "{\"filter\": {\"error_type\": \"currency\"}, \"notes\": \"ticket 4711\", \"limit\": 100}", mayBeEmpty: false, cancellationToken);
        if (document is null)
            return (null, fault);
        using (document)
            return Read(new(document.RootElement), status);
    }

    private static (FailedItemsRequest? Request, IResult? Fault) Read(JsonMembers body, string status)
    {
        var members = body.Object("filter");
        // Only pending items can be changed; the name is taken so that the filter of a list can be taken over.
        members.Choice("status", FailedItemStatus.Pending);
        var filter = new FailedItemFilter(FailedItemStatus.Pending, FailedItemFilter.ReadErrorType(members), members.Time("from"), members.Time("to"));
        if (filter.From > filter.To)
            members.Fail("from", "It is after 'to'.");
        var all = body.Boolean("all");
        var isNarrow = members.Text("error_type") is not null || (filter.From ?? filter.To) is not null;
        if (!isNarrow && !all)
            body.Fail("filter", "It does not narrow: give 'error_type', 'from' or 'to', or say \"all\": true.");
        if (isNarrow && all)
            body.Fail("all", "There is a filter as well. Leave one of them out.");
        var (notes, limit) = (body.Text("notes"), (int)body.Integer("limit", DefaultLimit, 1, MaxLimit));
        var question = string.Create(CultureInfo.InvariantCulture, $"{status}\n{filter.ErrorType}\n{filter.From}\n{filter.To}");
        var (after, remaining) = (0L, (long?)null);
        if (body.Text("cursor") is { } cursor)
        {
            var place = BoundCursor.Open(cursor, question);
            if (!TryParse(place, out after, out remaining))
                body.Fail("cursor", place is null ? BoundCursor.OfAnother : "Not a cursor of this call. Use next_cursor of the answer before, unchanged.");
        }

        return body.Problem() is { } problem ? (null, problem) : (new(filter, notes, limit, after, remaining, question), null);
    }

    private static bool TryParse(string? place, out long after, out long? remaining)
    {
        (after, remaining) = (0, null);
        if (place?.Split('-') is not [var id, .. var count] || count.Length > 1 || !long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            return false;
        // Cursors of before had no count.
        if (count.Length == 0)
            return true;
        var isCounted = long.TryParse(count[0], NumberStyles.None, CultureInfo.InvariantCulture, out var left);
        remaining = left;
        return isCounted;
    }
}

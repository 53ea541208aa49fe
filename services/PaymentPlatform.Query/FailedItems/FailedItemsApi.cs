using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query.FailedItems;

/// <summary><c>GET /v1/failed-items</c> (the latest first) and <c>GET /v1/failed-items/{id}</c></summary>
public static class FailedItemsApi
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    public static void MapFailedItemsApi(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/failed-items", ListAsync).RequireRole(AccessRole.Read);
        app.MapGet("/v1/failed-items/{id}", GetAsync).RequireRole(AccessRole.Read);
    }

    internal static bool TryParseId(string id, out long key) => long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out key);

    internal static ProblemHttpResult NotFound() => TypedResults.Problem("There is no dead letter with this id.", statusCode: 404, title: "Failed item not found");

    private static async Task<Results<JsonHttpResult<Page<FailedItemSummary>>, ValidationProblem>> ListAsync(HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var (from, to) = parameters.Range();
        var filter = new FailedItemFilter(
            parameters.Choice("status", FailedItemStatus.Pending, FailedItemStatus.Resubmitted, FailedItemStatus.Resolved, FailedItemStatus.Discarded), FailedItemFilter.ReadErrorType(parameters), from, to);
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var before = parameters.CursorId();
        if (parameters.Problem() is { } problem)
            return problem;

        var items = await database.ExecuteAsync((connection, token) => FailedItemReader.ListAsync(connection, filter, before, limit + 1, token), context.RequestAborted);
        return TypedResults.Json(Page<FailedItemSummary>.Cut(items, limit, item => parameters.NextCursor(item.Id)), QueryJsonContext.Default.PageFailedItemSummary);
    }

    private static async Task<Results<JsonHttpResult<FailedItem>, ValidationProblem, ProblemHttpResult>> GetAsync(string id, HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;

        var item = TryParseId(id, out var key) ? await database.ExecuteAsync((connection, token) => FailedItemReader.FindAsync(connection, key, token), context.RequestAborted) : null;
        return item is null ? NotFound() : TypedResults.Json(item, QueryJsonContext.Default.FailedItem);
    }
}

using Microsoft.AspNetCore.Http.HttpResults;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>
/// <c>POST /v1/failed-items/{id}/resubmit</c> (the body, if any, is the corrected payload; <c>notes</c> is a parameter), <c>…/resolve</c> and <c>…/discard</c> (<c>{"notes"}</c>, or nothing);
/// <c>POST /v1/failed-items/resubmit</c>, <c>…/resolve</c> and <c>…/discard</c> by filter. Said again, each answers as before.
/// </summary>
public static class FailedItemActionsApi
{
    private const int MaxNotesBytes = 16 << 10;

    /// <summary>As much as a stream takes.</summary>
    private const int MaxPayloadBytes = 1 << 20;

    private const int MaxErrors = 50;

    public static void MapFailedItemActionsApi(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/failed-items/{id}/resubmit", ResubmitAsync).RequireRole(AccessRole.Operate);
        app.MapPost("/v1/failed-items/resubmit", (HttpContext context, FailedItemActions actions) => ChangeAsync(context, actions, FailedItemStatus.Resubmitted)).RequireRole(AccessRole.Operate);
        foreach (var (verb, status) in ((string, string)[])[("resolve", FailedItemStatus.Resolved), ("discard", FailedItemStatus.Discarded)])
        {
            app.MapPost($"/v1/failed-items/{{id}}/{verb}", (string id, HttpContext context, DatabaseTurns database, FailedItemActions actions) => CloseAsync(id, context, database, actions, status))
                .RequireRole(AccessRole.Operate);
            app.MapPost($"/v1/failed-items/{verb}", (HttpContext context, FailedItemActions actions) => ChangeAsync(context, actions, status)).RequireRole(AccessRole.Operate);
        }
    }

    private static async Task<IResult> ResubmitAsync(string id, HttpContext context, DatabaseTurns database, FailedItemActions actions)
    {
        var parameters = new QueryParameters(context.Request.Query);
        var notes = parameters.Text("notes");
        if (parameters.Problem() is { } problem)
            return problem;
        var (body, fault) = await RequestBody.ReadAsync(context.Request, MaxPayloadBytes, context.RequestAborted);
        if (body is null)
            return fault!;
        if (body.Length > 0 && !context.Request.HasJsonContentType())
            return RequestBody.NotJson("the corrected payload; or nothing, for the payload as it is");
        if (!FailedItemsApi.TryParseId(id, out var key))
            return FailedItemsApi.NotFound();
        var corrected = body.Length == 0 ? null : body.AsSpan().Trim(" \t\r\n"u8).ToArray();
        return await AnswerAsync(await actions.ResubmitAsync(key, corrected, By(context), notes, context.RequestAborted), database, context.RequestAborted);
    }

    private static async Task<IResult> CloseAsync(string id, HttpContext context, DatabaseTurns database, FailedItemActions actions, string status)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        var (document, fault) = await RequestBody.ReadObjectAsync(context.Request, MaxNotesBytes, "a JSON object with the text 'notes', or empty", "{\"notes\": \"ticket 4711\"}", mayBeEmpty: true, context.RequestAborted);
        if (document is null)
            return fault!;
        string? notes;
        using (document)
        {
            var members = new JsonMembers(document.RootElement);
            notes = members.Text("notes");
            if (members.Problem() is { } bad)
                return bad;
        }

        return FailedItemsApi.TryParseId(id, out var key)
            ? await AnswerAsync(await actions.CloseAsync(key, status, By(context), notes, context.RequestAborted), database, context.RequestAborted)
            : FailedItemsApi.NotFound();
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, FailedItemActions actions, string status)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        var (request, fault) = await FailedItemsRequest.ReadAsync(context.Request, status, context.RequestAborted);
        return request is null
            ? fault!
            : TypedResults.Json(await actions.ChangeAsync(request, status, By(context), context.RequestAborted), QueryJsonContext.Default.FailedItemsAnswer);
    }

    private static string By(HttpContext context) => context.User.Identity?.Name ?? "anonymous";

    private static async Task<IResult> AnswerAsync(FailedItemResult result, DatabaseTurns database, CancellationToken cancellationToken) => result.Outcome switch
    {
        FailedItemOutcome.Done or FailedItemOutcome.Unchanged =>
            TypedResults.Json(await database.ExecuteAsync((connection, token) => FailedItemReader.FindSummaryAsync(connection, result.Id, token), cancellationToken), QueryJsonContext.Default.FailedItemSummary),
        FailedItemOutcome.NotFound => FailedItemsApi.NotFound(),
        FailedItemOutcome.Invalid => Problem(result, StatusCodes.Status422UnprocessableEntity, "Event not valid", new("errors", result.Errors.Take(MaxErrors))),
        FailedItemOutcome.Sending => Problem(result, StatusCodes.Status409Conflict, "Resubmission under way", new("item_status", result.Status)),
        _ => Problem(result, StatusCodes.Status409Conflict, "Ended already", new("item_status", result.Status)),
    };

    private static ProblemHttpResult Problem(FailedItemResult result, int status, string title, KeyValuePair<string, object?> extension) =>
        TypedResults.Problem(result.Detail, statusCode: status, title: title, extensions: [extension]);
}

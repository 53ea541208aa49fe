using Microsoft.AspNetCore.Http.HttpResults;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/events</c></summary>
public static class EventsApi
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    public static void MapEventsApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/events", GetAsync).RequireRole(AccessRole.Read);

    private static async Task<Results<EventPage, EventStream, EventParquet, ValidationProblem, ProblemHttpResult>> GetAsync(HttpContext context, ArchiveReader archive, ArchiveTailReader tails, ParquetExporter parquet)
    {
        context.Response.Headers.Vary = "Accept";
        if (EventFormats.Choose(context.Request) is not { } format)
            return TypedResults.Problem("Accept application/json, application/x-ndjson, text/csv or application/vnd.apache.parquet.", statusCode: 406, title: "Not acceptable");

        var isPage = format == EventFormat.Json;
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var limit = isPage ? parameters.Integer("limit", DefaultLimit, 1, MaxLimit) : parameters.Integer("limit", long.MaxValue, 1, long.MaxValue);
        var guardFormulas = format != EventFormat.Csv || parameters.Choice("csv_formulas", "guard", "keep") is not "keep";
        var query = EventFilter.Read(parameters, isPage ? "page" : "export", isPage ? limit + 1 : limit == long.MaxValue ? null : limit);
        if (parameters.Problem() is { } problem)
            return problem;

        var tail = await tails.ReadAsync(context.RequestAborted);
        if (!isPage)
            tail.Write(context.Response.Headers);
        return format switch
        {
            EventFormat.Json => new EventPage(await archive.OpenAsync(query, context.RequestAborted), (int)limit, parameters.NextCursor, tail),
            EventFormat.Parquet => await parquet.ExportAsync(query, context.RequestAborted),
            _ => new EventStream(await archive.OpenAsync(query, context.RequestAborted), format, guardFormulas),
        };
    }
}

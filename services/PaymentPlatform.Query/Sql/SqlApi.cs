using Microsoft.Extensions.Options;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query.Sql;

/// <summary><c>POST /v1/sql</c></summary>
public static class SqlApi
{
    public static void MapSqlApi(this IEndpointRouteBuilder app) => app.MapPost("/v1/sql", (Delegate)PostAsync).RequireRole(AccessRole.Read);

    private static async Task<IResult> PostAsync(HttpContext context)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        var services = context.RequestServices;
        var (request, fault) = await SqlRequest.ReadAsync(context.Request, services.GetRequiredService<IOptions<QueryOptions>>().Value.SqlRows, context.RequestAborted);
        if (request is null)
            return fault!;
        try
        {
            return await services.GetRequiredService<SqlService>().AskAsync(request, context.RequestAborted);
        }
        catch (SqlProblemException exception)
        {
            return TypedResults.Problem(
                exception.Message,
                statusCode: exception.Status,
                title: exception.Title,
                extensions: exception.Position is var (line, column) ? [new("line", line), new("column", column)] : null);
        }
    }
}

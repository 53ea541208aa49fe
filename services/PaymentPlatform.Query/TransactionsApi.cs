using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/transactions/{transaction_id}</c></summary>
public static class TransactionsApi
{
    public static void MapTransactionsApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/transactions/{transaction_id}", GetAsync).RequireRole(AccessRole.Read);

    private static async Task<Results<TransactionTrail, ValidationProblem>> GetAsync(HttpContext context, ArchiveReader archive)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;

        var id = LastSegment(context);
        // Every live file is looked at; statistics rule out most row groups.
        var query = new ArchiveQuery { Kind = "lookup", Axis = TimeAxis.Arrival };
        query.Where("transaction_id = $id", "id", id);
        return new TransactionTrail(await archive.OpenAsync(query, context.RequestAborted), id);
    }

    /// <summary>Routing leaves <c>%2F</c> as it is, so that an id with a slash could not be told from one with the text "%2F".</summary>
    private static string LastSegment(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var path = target.AsSpan(0, target.IndexOf('?') is >= 0 and var query ? query : target.Length).TrimEnd('/');
        return Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..].ToString());
    }
}

using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using PaymentPlatform.Query.Lookup;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/transactions/{transaction_id}</c></summary>
public static class TransactionsApi
{
    public static void MapTransactionsApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/transactions/{transaction_id}", GetAsync).RequireRole(AccessRole.Read);

    private static async Task<Results<TransactionTrail, ValidationProblem>> GetAsync(HttpContext context, ArchiveTailReader tails, [FromServices] TransactionLookup lookup, [FromServices] ManifestReader manifest)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;

        var id = Segment(context, fromEnd: 1);
        var tail = await tails.ReadAsync(context.RequestAborted);
        return new TransactionTrail(await lookup.OpenAsync(id, context.RequestAborted), id, tail, manifest);
    }

    /// <summary>A segment of the path. Routing leaves <c>%2F</c> as it is, so that an id with a slash could not be told from one with the text "%2F".</summary>
    /// <param name="fromEnd">1 is the last one.</param>
    internal static string Segment(HttpContext context, int fromEnd)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var path = target[..(target.IndexOf('?') is >= 0 and var query ? query : target.Length)].TrimEnd('/');
        return Uri.UnescapeDataString(path.Split('/')[^fromEnd]);
    }
}

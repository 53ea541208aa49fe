using System.Globalization;
using Microsoft.Extensions.Options;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary><c>GET /v1/archive/reconciliation</c></summary>
public static class ReconciliationApi
{
    public static void MapReconciliationApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/archive/reconciliation", GetAsync).RequireRole(AccessRole.Read);

    private static async Task<IResult> GetAsync(HttpContext context, Reconciler reconciler, IOptions<QueryOptions> options, TimeProvider timeProvider)
    {
        var parameters = new QueryParameters(context.Request.Query);
        var (now, longest) = (timeProvider.GetUtcNow(), options.Value.MaxReconciliationRange);
        var (from, to) = parameters.Range();
        if (from is { } start && (to ?? Timestamps.ToMicros(now.UtcDateTime)) - start > longest.Ticks / TimeSpan.TicksPerMicrosecond)
        {
            parameters.Fail("from", string.Create(
                CultureInfo.InvariantCulture,
                $"It must lie at most {longest.TotalDays:0.###} days before 'to' (Query:MaxReconciliationRange). Ask for several ranges, or run ./platform reconcile, which compares any."));
        }

        var depth = parameters.Choice("depth", "listing", "full") == "full" ? ReconciliationDepth.Full : ReconciliationDepth.Listing;
        if (parameters.Problem() is { } problem)
            return problem;
        if (depth == ReconciliationDepth.Full && !context.Grants(AccessRole.Operate))
            return context.Refuse(AccessRole.Operate, "depth=full reads the bytes of the blobs: it needs the role 'operate', which the credential does not have. Leave depth out to compare names and sizes.");

        var report = await reconciler.RunAsync(ReconciliationRequest.Of(from, to, depth, now), null, context.RequestAborted);
        return TypedResults.Json(report, QueryJsonContext.Default.ReconciliationReport);
    }
}

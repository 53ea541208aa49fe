using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary><c>GET /v1/archive/reconciliation</c></summary>
public static class ReconciliationApi
{
    public static void MapReconciliationApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/archive/reconciliation", GetAsync).RequireRole(AccessRole.Read);

    private static async Task<IResult> GetAsync(HttpContext context, Reconciler reconciler, TimeProvider timeProvider)
    {
        var parameters = new QueryParameters(context.Request.Query);
        var (from, to) = parameters.Range();
        var depth = parameters.Choice("depth", "listing", "full") == "full" ? ReconciliationDepth.Full : ReconciliationDepth.Listing;
        if (parameters.Problem() is { } problem)
            return problem;
        var report = await reconciler.RunAsync(ReconciliationRequest.Of(from, to, depth, timeProvider.GetUtcNow()), null, context.RequestAborted);
        return TypedResults.Json(report, QueryJsonContext.Default.ReconciliationReport);
    }
}

using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query.Audit;

/// <summary><c>GET /v1/transactions/{transaction_id}/audit</c>: all that is known of a payment in one answer, as JSON or as a page to print.</summary>
public static class AuditApi
{
    private static readonly (string MediaType, AuditFormat Format)[] s_formats = [("application/json", AuditFormat.Json), ("text/html", AuditFormat.Html)];

    public static void MapAuditApi(this IEndpointRouteBuilder app) =>
        app.MapGet("/v1/transactions/{transaction_id}/audit", GetAsync).RequireRole(AccessRole.Read).WithBrowserSignIn();

    private static async Task<IResult> GetAsync(HttpContext context, AuditReader reader, ManifestReader manifest)
    {
        context.Response.Headers.Vary = "Accept";
        if (EventFormats.Choose(context.Request, s_formats) is not { } format)
            return TypedResults.Problem("Accept application/json or text/html.", statusCode: 406, title: "Not acceptable");

        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;

        // Who is being looked into is for those who place holds to know, as in /v1/archive/holds.
        var trail = await reader.ReadAsync(TransactionsApi.Segment(context, fromEnd: 2), context.Grants(AccessRole.Operate), context.RequestAborted);
        if (trail.IsEmpty)
            return TypedResults.Problem($"Neither an archived event nor a dead letter has this id. {trail.Tail.Missing()}{await manifest.TellDeletedAsync(context.RequestAborted)}", statusCode: 404, title: "Transaction not found");
        return format == AuditFormat.Html ? new AuditPage(trail) : new AuditJson(trail);
    }
}

using System.Text.Json;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Ingest;

/// <summary>The ingest endpoint.</summary>
internal static class TransactionsApi
{
    public static IEndpointRouteBuilder MapTransactionsApi(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/transactions", (HttpContext context, TransactionIngest ingest) => ingest.HandleAsync(context))
            .RequireRole(AccessRole.Ingest)
            .WithName("PostTransactions")
            .WithTags("ingest")
            .WithSummary("Takes transaction events.")
            .WithDescription(
                "One object or an array as application/json, one object a line as application/x-ndjson (streamed, any length), or CloudEvents 1.0. "
                + "Answers once the stream holds the accepted events durably. Send an Idempotency-Key to make a retry safe; CloudEvents are taken once per source and id, "
                + "or, in a request with an Idempotency-Key, under that key as a whole.")
            // The wildcard keeps routing from answering 415 by itself, which it does without problem details.
            .Accepts<JsonElement>("application/json", "application/x-ndjson", "application/cloudevents+json", "application/cloudevents-batch+json", "*/*")
            .Produces<IngestResponse>(StatusCodes.Status202Accepted)
            .Produces<IngestResponse>(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        return routes;
    }
}

using Azure;
using DuckDB.NET.Data;
using Npgsql;
using PaymentPlatform.Query.Reconciliation;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query;

/// <summary>Around every endpoint: turns faults into problem details, and cuts an answer off when it is too late for that, so that a part is never taken for the whole.</summary>
public static partial class QueryGuard
{
    public static RequestDelegate Wrap(RequestDelegate next) => async context =>
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await next(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer to.
        }
        catch (Exception exception)
        {
            var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(QueryGuard));
            var problem = Explain(exception);
            if (problem.Status >= 500)
                LogFault(logger, exception, context.Request.Path);
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            context.Response.Clear();
            context.Response.Headers.CacheControl = "no-store";
            if (problem.RetryAfter is { } seconds)
                context.Response.Headers.RetryAfter = seconds;
            await TypedResults.Problem(problem.Detail, statusCode: problem.Status, title: problem.Title).ExecuteAsync(context);
        }
    };

    private static (int Status, string Title, string Detail, string? RetryAfter) Explain(Exception exception) => exception switch
    {
        ArchiveFileException { IsArchived: true } => (409, "Archive file not rehydrated", exception.Message, null),
        ArchiveFileException => (503, "Archive file not readable", exception.Message, null),
        ManifestViewGoneException => (410, "Cursor too old", exception.Message, null),
        EngineBusyException => (429, "Too many queries", exception.Message, "5"),
        ReconciliationBusyException => (429, "Reconciliation runs", exception.Message, "60"),
        DuckDBException when exception.Message.Contains("Out of Memory", StringComparison.OrdinalIgnoreCase) =>
            (503, "Query too large", $"The query needs more memory than {QueryOptions.Section}:{nameof(QueryOptions.EngineMemory)} or more disk than {QueryOptions.Section}:{nameof(QueryOptions.SpillBytes)} allows. Ask for a shorter range or fewer rows.", null),
        BadHttpRequestException bad => (bad.StatusCode, "Bad request", bad.Message, null),
        NpgsqlException or TimeoutException when HybridConnectionManager.IsTransient(exception) => (503, "Database not available", "The database does not answer. Try again.", "2"),
        StreamUnavailableException => (503, "Stream unavailable", "The stream can't take events now. A resubmission that was begun goes out by itself once it can; asked for again, it goes out once all the same.", "5"),
        RequestFailedException or AggregateException { InnerException: RequestFailedException } => (503, "Blob store not available", "The blob store does not answer. Try again.", "2"),
        _ => (500, "Internal error", "The query failed; the service's log says why.", null),
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} failed")]
    private static partial void LogFault(ILogger logger, Exception exception, PathString path);
}

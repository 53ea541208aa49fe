using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Who operated: a line for each call of an operate endpoint, also a refused or failed one.</summary>
internal sealed partial class OperateLog(RequestDelegate next, ILogger<OperateLog> logger)
{
    public Task InvokeAsync(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<RequiredRole>()?.Role == AccessRole.Operate ? LogAsync(context) : next(context);

    private async Task LogAsync(HttpContext context)
    {
        var status = StatusCodes.Status500InternalServerError;
        try
        {
            await next(context);
            status = context.Response.StatusCode;
        }
        finally
        {
            // Encoded: a line break in a path must not make a line of the log.
            LogOperated(logger, context.Request.Method, context.Request.Path.ToUriComponent(), context.User.Who(), status);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Operate: {Method} {Path} by {Who} answered {Status}")]
    private static partial void LogOperated(ILogger logger, string method, string path, string who, int status);
}

using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using PaymentPlatform;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every service has: telemetry, JSON logs, health, access, service discovery, resilient HTTP clients.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>Prefix of the names of all our meters and activity sources.</summary>
    public const string TelemetryPrefix = "PaymentPlatform";

    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.AddTelemetry();
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), ["live"]);
        builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = problem => problem.ProblemDetails.Detail ??= Explain(problem.HttpContext, problem.ProblemDetails.Status));
        builder.AddAccess();
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler(options => options.Retry.DisableForUnsafeHttpMethods());
            http.AddServiceDiscovery();
        });
        return builder;
    }

    /// <summary>Where routing alone has answered; null where there is nothing to add.</summary>
    private static string? Explain(HttpContext context, int? status) => status switch
    {
        StatusCodes.Status404NotFound => $"There is nothing at {context.Request.Path}.",
        StatusCodes.Status405MethodNotAllowed => $"{context.Request.Path} does not take {context.Request.Method}; it takes {context.Response.Headers.Allow}.",
        StatusCodes.Status500InternalServerError => "The service failed on this request; its log says why.",
        _ => null,
    };

    /// <summary>What a process has that runs to its end and takes no calls: telemetry and JSON logs.</summary>
    public static TBuilder AddJobDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.AddTelemetry();
        return builder;
    }

    /// <summary>Every error is a problem details document, also an unknown path and a fault of our own.</summary>
    public static WebApplication UseProblemAnswers(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        return app;
    }

    /// <summary><c>/health</c> (all checks: ready to work) and <c>/alive</c> (the process itself), mapped in every environment and open to everybody: container probes need them.</summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(PlatformNames.ReadyPath).AllowAnonymous();
        app.MapHealthChecks(PlatformNames.AlivePath, new HealthCheckOptions { Predicate = check => check.Tags.Contains("live"), ResponseWriter = AnswerAliveAsync }).AllowAnonymous();
        return app;
    }

    /// <summary>The header tells who holds a port: ./platform run asks for it.</summary>
    private static Task AnswerAliveAsync(HttpContext context, HealthReport report)
    {
        context.Response.Headers.Server = TelemetryPrefix;
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(report.Status.ToString());
    }

    /// <summary>Libraries that log every request or command at Information. Below all other sources, so that configuration can ask for it.</summary>
    private static readonly Dictionary<string, string?> QuietLibraries = new()
    {
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:System.Net.Http"] = "Warning",
        ["Logging:LogLevel:Polly"] = "Warning",
        ["Logging:LogLevel:Npgsql"] = "Warning",
    };

    private static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = QuietLibraries });
        builder.Logging.ClearProviders();
        builder.Logging.AddJsonConsole(console =>
        {
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            console.JsonWriterOptions = new JsonWriterOptions { Indented = false };
        });
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter($"{TelemetryPrefix}.*", "Npgsql"))
            .WithTracing(tracing => tracing
                .AddSource($"{TelemetryPrefix}.*", builder.Environment.ApplicationName)
                .AddAspNetCoreInstrumentation(http => http.Filter = context => !context.Request.Path.StartsWithSegments(PlatformNames.ReadyPath) && !context.Request.Path.StartsWithSegments(PlatformNames.AlivePath))
                .AddHttpClientInstrumentation());
        if (!string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            telemetry.UseOtlpExporter();
    }
}

using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using PaymentPlatform.Events;
using PaymentPlatform.Metrics;
using PaymentPlatform.Metrics.Clusters;
using PaymentPlatform.Metrics.Deltas;
using PaymentPlatform.Metrics.Rebuild;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Streaming;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers and maps the service.</summary>
public static class MetricsExtensions
{
    /// <summary>Section <c>Metrics</c>, <c>Ingest:CardData</c>; the database and the stream as their own methods say.</summary>
    public static IHostApplicationBuilder AddMetrics(this IHostApplicationBuilder builder)
    {
        builder.AddHybridStorage();
        builder.AddStreaming();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddCheckedOptions<MetricsOptions>(MetricsOptions.Section);
        builder.Services.AddSingleton<IValidateOptions<MetricsOptions>, RulesFileValidator>();
        builder.Services.AddSingleton<MetricsTelemetry>();
        builder.Services.AddSingleton<RuleCatalog>();
        builder.Services.AddSingleton<RuleService>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<RuleService>());
        var parserOptions = new TransactionParserOptions { CardData = StreamCardData.Read(builder.Configuration) };
        builder.Services.AddHostedService(provider => ActivatorUtilities.CreateInstance<MetricsService>(provider, parserOptions));
        builder.Services.AddHostedService<FoldService>();
        builder.Services.AddHostedService<ClusterService>();
        builder.Services.AddHostedService(provider => ActivatorUtilities.CreateInstance<RebuildService>(provider, parserOptions));
        builder.Services.AddHostedService<MetricPartitionsService>();
        return builder;
    }

    /// <summary>The service has no endpoints of its own: its figures are served by query.</summary>
    public static WebApplication MapMetrics(this WebApplication app) => app;
}

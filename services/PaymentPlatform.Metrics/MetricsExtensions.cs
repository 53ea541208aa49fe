using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using PaymentPlatform.Events;
using PaymentPlatform.Metrics;

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
        builder.Services.AddOptions<MetricsOptions>().BindConfiguration(MetricsOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<MetricsTelemetry>();
        var parserOptions = new TransactionParserOptions { CardData = CardDataOf(builder.Configuration) };
        builder.Services.AddHostedService(provider => ActivatorUtilities.CreateInstance<MetricsService>(provider, parserOptions));
        return builder;
    }

    /// <summary>The service has no endpoints of its own: its figures are served by query.</summary>
    public static WebApplication MapMetrics(this WebApplication app) => app;

    // What the door let in is masked here unless card data is allowed altogether.
    private static CardDataMode CardDataOf(IConfiguration configuration)
    {
        const string key = "Ingest:CardData";
        if (configuration[key] is not { Length: > 0 } text)
            return CardDataMode.Mask;
        if (!Enum.TryParse<CardDataMode>(text, ignoreCase: true, out var mode) || !Enum.IsDefined(mode))
            throw new OptionsValidationException(key, typeof(CardDataMode), [$"{key} is '{text}': it must be reject, mask or allow."]);
        return mode == CardDataMode.Allow ? CardDataMode.Allow : CardDataMode.Mask;
    }
}

using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using PaymentPlatform.Ingest;
using PaymentPlatform.Streaming;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers and maps the service.</summary>
public static class IngestExtensions
{
    /// <summary>Section <c>Ingest</c>; needs what <c>AddHybridStorage</c> and <c>AddStreaming</c> need.</summary>
    public static IHostApplicationBuilder AddIngest(this IHostApplicationBuilder builder)
    {
        builder.AddHybridStorage();
        builder.AddStreaming();
        return builder.AddTransactionIngest();
    }

    /// <summary><c>POST /v1/transactions</c>.</summary>
    public static WebApplication MapIngest(this WebApplication app)
    {
        app.MapTransactionsApi();
        return app;
    }

    /// <summary>The service itself, over whatever publisher is registered.</summary>
    internal static IHostApplicationBuilder AddTransactionIngest(this IHostApplicationBuilder builder)
    {
        // Without it a compressed body that is cut off looks like one that has ended.
        AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);
        builder.Services.AddCheckedOptions<IngestOptions>(IngestOptions.Section);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<StreamOutage>();
        builder.Services.AddRequestDecompression();
        builder.Services.TryAddSingleton(provider => new ByteBudget(provider.GetRequiredService<IOptions<IngestOptions>>().Value.MaxBytesInFlight));
        builder.Services.TryAddSingleton(provider => new IngestTelemetry(provider.GetRequiredService<IMeterFactory>(), provider.GetRequiredService<ByteBudget>()));
        builder.Services.TryAddSingleton(provider => ActivatorUtilities.CreateInstance<TransactionIngest>(provider, provider.GetInspectedPublisher()));
        return builder;
    }
}

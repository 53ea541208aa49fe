using Microsoft.Extensions.DependencyInjection.Extensions;
using PaymentPlatform.BlobArchiver;
using PaymentPlatform.BlobArchiver.Compaction;
using PaymentPlatform.BlobArchiver.Lifecycle;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers and maps the service.</summary>
public static class BlobArchiverExtensions
{
    /// <summary>The archiver: consumer group <c>archiver</c>, section <c>Archiver</c>.</summary>
    public static IHostApplicationBuilder AddBlobArchiver(this IHostApplicationBuilder builder)
    {
        builder.AddHybridStorage();
        builder.AddStreaming();

        var services = builder.Services;
        services.AddCheckedOptions<ArchiverOptions>(ArchiverOptions.Section);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new ArchiveBlobs(provider.GetRequiredService<HybridConnectionManager>().RawEvents));
        services.TryAddSingleton<WriteProbe>();
        services.AddMetrics();
        services.AddSingleton<ArchiverTelemetry>();
        services.AddSingleton<PersistentRetry>();
        services.AddSingleton<ArchiveFileWriter>();
        services.AddSingleton<IArchiveFlusher, ArchiveFlusher>();
        services.AddSingleton<LostFileRestorer>();
        services.AddSingleton<MergedFileRestorer>();
        services.AddSingleton<ArchiveCompactor>();
        services.AddSingleton<ArchiveTiering>();
        services.AddSingleton<RetentionDeleter>();
        services.AddSingleton<IArchiveRepair, ArchiveRepair>();
        services.AddSingleton<ArchiveSweeper>();
        services.AddHostedService<ArchiverService>();
        services.AddHostedService<ArchiveMaintenanceService>();
        return builder;
    }

    /// <summary>The archiver has no endpoints of its own; health comes with the service defaults.</summary>
    public static WebApplication MapBlobArchiver(this WebApplication app) => app;
}

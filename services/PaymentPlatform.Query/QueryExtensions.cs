using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Query;
using PaymentPlatform.Query.Audit;
using PaymentPlatform.Query.FailedItems;
using PaymentPlatform.Query.Lifecycle;
using PaymentPlatform.Query.Lookup;
using PaymentPlatform.Query.Reconciliation;
using PaymentPlatform.Query.Replay;
using PaymentPlatform.Query.Sql;
using PaymentPlatform.Streaming;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers and maps the service.</summary>
public static class QueryExtensions
{
    /// <summary>Sections <c>Query</c> and <c>Streaming</c> (dead letters and replays go into a stream), <c>Ingest:CardData</c>; connection strings <c>paymentsdb</c> and <c>blobs</c>, and that of the stream.</summary>
    public static IHostApplicationBuilder AddQuery(this IHostApplicationBuilder builder)
    {
        builder.AddHybridStorage();
        builder.AddStreaming();
        builder.Services.AddCheckedOptions<QueryOptions>(QueryOptions.Section);
        builder.Services.AddSingleton<QueryTelemetry>();
        builder.Services.AddSingleton<DatabaseTurns>();
        builder.Services.AddSingleton<LatestRules>();
        builder.Services.AddSingleton<RuleHistory>();
        builder.Services.AddSingleton<ManifestReader>();
        builder.Services.AddSingleton<ArchiveFileCache>();
        builder.Services.AddSingleton<ArchiveEngine>();
        builder.Services.AddHostedService<ArchiveEngineStart>();
        builder.Services.AddSingleton<ArchiveReader>();
        builder.Services.AddSingleton<ParquetExporter>();
        var door = new TransactionParserOptions { CardData = StreamCardData.ReadDoor(builder.Configuration) };
        builder.Services.AddSingleton(provider => ActivatorUtilities.CreateInstance<Resubmitter>(provider, provider.GetInspectedPublisher(), door));
        builder.Services.AddSingleton<FailedItemActions>();
        builder.Services.AddHostedService<ResubmissionFinisher>();
        builder.Services.AddSingleton<FilterFetcher>();
        builder.Services.AddSingleton<LookupIndex>();
        builder.Services.AddHostedService<LookupIndexService>();
        builder.Services.AddSingleton<TransactionLookup>();
        builder.Services.AddSingleton<ArchiveTailReader>();
        builder.Services.AddSingleton<SqlWorkers>();
        builder.Services.AddSingleton<SqlService>();
        builder.Services.AddSingleton<ReplayJobs>();
        builder.Services.AddSingleton<ReplaySource>();
        builder.Services.AddHostedService<ReplayService>();
        builder.Services.AddSingleton<AuditReader>();
        builder.Services.AddSingleton<HeldFiles>();
        builder.AddReconciliation();
        return builder;
    }

    private static void AddReconciliation(this IHostApplicationBuilder builder)
    {
        builder.Services.AddMetrics();
        builder.Services.AddSingleton<BlobManifest>();
        builder.Services.AddSingleton<BlobCheck>();
        builder.Services.AddSingleton<RangeCheck>();
        builder.Services.AddSingleton<ArchivedFigures>();
        builder.Services.AddSingleton<CountCheck>();
        builder.Services.AddSingleton(services => new Reconciler(
            services.GetRequiredService<BlobCheck>(), services.GetRequiredService<RangeCheck>(), services.GetRequiredService<CountCheck>(), services.GetRequiredService<BlobManifest>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<ReconciliationRuns>();
        builder.Services.AddSingleton<ReconciliationTelemetry>();
        builder.Services.AddHostedService<ReconciliationService>();
    }

    public static WebApplication MapQuery(this WebApplication app)
    {
        var group = app.MapGroup("");
        group.MapTransactionsApi();
        group.MapAuditApi();
        group.MapEventsApi();
        group.MapSqlApi();
        group.MapPaymentMetricsApi();
        group.MapHistogramsApi();
        group.MapDynamicMetricsApi();
        group.MapClustersApi();
        group.MapFailedItemsApi();
        group.MapFailedItemActionsApi();
        group.MapArchiveFilesApi();
        group.MapHoldsApi();
        group.MapRehydrationsApi();
        group.MapReconciliationApi();
        group.MapPipelineApi();
        group.MapRulesApi();
        group.MapRebuildsApi();
        group.MapReplaysApi();
        group.MapConsoleApi();
        ((IEndpointConventionBuilder)group).Add(endpoint => endpoint.RequestDelegate = QueryGuard.Wrap(endpoint.RequestDelegate!));
        return app;
    }
}

using Azure.Core;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Database;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers the database, the blobs and what joins them.</summary>
public static class StorageExtensions
{
    /// <summary>
    /// Connection strings <c>paymentsdb</c> and <c>blobs</c>, section <c>Storage</c>. Calling it again changes nothing.
    /// Without <c>blobs</c> everything works that touches no blob: ingest needs no right to the archive.
    /// </summary>
    public static IHostApplicationBuilder AddHybridStorage(this IHostApplicationBuilder builder)
    {
        if (builder.Services.Any(s => s.ServiceType == typeof(HybridConnectionManager)))
            return builder;

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddCheckedOptions<HybridConnectionOptions>(HybridConnectionOptions.Section);
        builder.AddPaymentsDatabase();
        builder.Services.AddSingleton(_ => BlobConnection.Open(builder.Configuration.GetConnectionString(BlobConnection.Name), BlobOptions()));
        builder.Services.AddSingleton(provider => ActivatorUtilities.CreateInstance<HybridConnectionManager>(provider, new Lazy<BlobServiceClient>(provider.GetRequiredService<BlobServiceClient>)));
        builder.Services.AddSingleton<SchemaGate>();
        builder.Services.AddHealthChecks()
            .Add(new("storage", provider => new StorageHealthCheck(provider.GetRequiredService<HybridConnectionManager>(), HasBlobs(builder.Configuration)), HealthStatus.Unhealthy, ["ready"], TimeSpan.FromSeconds(5)))
            .Add(new("schema", provider => provider.GetRequiredService<SchemaGate>(), HealthStatus.Unhealthy, ["ready"], TimeSpan.FromSeconds(5)));
        return builder;
    }

    /// <summary>
    /// The one method that registers the database: Aspire's integration where its packages are, plain Npgsql elsewhere. Either way nothing is looked at before the data source is asked for,
    /// so that a wrong setting is one line of the start and no exception while the service is put together.
    /// </summary>
    private static void AddPaymentsDatabase(this IHostApplicationBuilder builder)
    {
#if USE_ASPIRE
        string? given = null;
        builder.AddNpgsqlDataSource(
            "paymentsdb",
            settings =>
            {
                given = settings.ConnectionString;
                // Aspire refuses an empty one before it asks us, and names a setting of its own.
                settings.ConnectionString = string.IsNullOrWhiteSpace(given) ? "Application Name=PaymentPlatform" : given;
            },
            database =>
            {
                Require("paymentsdb", given);
                Configure(database.ConnectionStringBuilder, builder.Configuration.GetSection(HybridConnectionOptions.Section).Get<HybridConnectionOptions>() ?? new());
            });
#else
        builder.Services.AddSingleton(provider =>
        {
            var database = new NpgsqlDataSourceBuilder(Require("paymentsdb", builder.Configuration.GetConnectionString("paymentsdb"))).UseLoggerFactory(provider.GetService<Microsoft.Extensions.Logging.ILoggerFactory>());
            Configure(database.ConnectionStringBuilder, provider.GetRequiredService<IOptions<HybridConnectionOptions>>().Value);
            return database.Build();
        });
#endif
    }

    private static void Configure(NpgsqlConnectionStringBuilder connection, HybridConnectionOptions options)
    {
        connection.MinPoolSize = options.MinPoolSize;
        connection.MaxPoolSize = options.MaxPoolSize;
        connection.ConnectionIdleLifetime = (int)options.ConnectionIdleLifetime.TotalSeconds;
        connection.ConnectionLifetime = (int)options.ConnectionLifetime.TotalSeconds;
        connection.Timeout = (int)options.ConnectTimeout.TotalSeconds;
        connection.CommandTimeout = (int)options.CommandTimeout.TotalSeconds;
        // A server that vanished without a word is noticed after about 20 s.
        connection.KeepAlive = 10;
        connection.ApplicationName = "PaymentPlatform";
        connection.MaxAutoPrepare = 40;
        connection.AutoPrepareMinUsages = 3;
        connection.NoResetOnClose = true;
    }

    private static BlobClientOptions BlobOptions() => new(BlobClientOptions.ServiceVersion.V2025_01_05)
    {
        Retry = { Mode = RetryMode.Exponential, MaxRetries = 4, Delay = TimeSpan.FromMilliseconds(200), MaxDelay = TimeSpan.FromSeconds(10), NetworkTimeout = TimeSpan.FromSeconds(60) },
        Diagnostics = { IsLoggingEnabled = false },
    };

    private static bool HasBlobs(IConfiguration configuration) => !string.IsNullOrWhiteSpace(configuration.GetConnectionString(BlobConnection.Name));

    private static string Require(string name, string? connectionString) => !string.IsNullOrWhiteSpace(connectionString)
        ? connectionString
        : throw new OptionsValidationException(name, typeof(string), [$"The connection string '{name}' is missing: set ConnectionStrings__{name}."]);

    private sealed class StorageHealthCheck(HybridConnectionManager connections, bool withBlobs) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await connections.ValidateAsync(withBlobs, cancellationToken);
            return HealthCheckResult.Healthy();
        }
    }
}

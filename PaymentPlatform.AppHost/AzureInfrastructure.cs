using System.Globalization;
using Aspire.Hosting.Azure;
using Azure.Provisioning.AppContainers;
using Azure.Provisioning.EventHubs;
using Azure.Provisioning.Expressions;
using Azure.Provisioning.PostgreSql;
using Azure.Provisioning.Storage;

namespace PaymentPlatform.AppHost;

/// <summary>What Azure gets beyond Aspire's defaults. Only publishing runs it; the services' own settings are the same everywhere.</summary>
internal static class AzureInfrastructure
{
    /// <summary>Standard: throughput that inflates by itself, and a retention that outlasts a consumer's outage.</summary>
    public static IResourceBuilder<AzureEventHubsResource> ConfigureAzure(this IResourceBuilder<AzureEventHubsResource> eventHubs, PlatformSettings settings) =>
        eventHubs.ConfigureInfrastructure(infrastructure =>
        {
            var resources = infrastructure.GetProvisionableResources().ToList();
            var events = resources.OfType<EventHubsNamespace>().Single();
            events.Sku.Tier = EventHubsSkuTier.Standard;
            events.Sku.Capacity = settings.ThroughputUnits;
            events.IsAutoInflateEnabled = true;
            events.MaximumThroughputUnits = settings.MaxThroughputUnits;
            var hub = resources.OfType<EventHub>().Single(hub => hub.Name.Value == PlatformNames.Stream);
            hub.RetentionDescription = new RetentionDescription { CleanupPolicy = CleanupPolicyRetentionDescription.Delete, RetentionTimeInHours = settings.RetentionHours };
        });

    /// <summary>
    /// No public blob, versions and soft delete, cool and archive tier by age. Nothing is deleted by a policy: a policy could not see a legal hold.
    /// Geo-redundant (Aspire's default), since zone-redundant accounts have no archive tier.
    /// </summary>
    public static IResourceBuilder<AzureStorageResource> ConfigureAzure(this IResourceBuilder<AzureStorageResource> storage, PlatformSettings settings) =>
        storage.ConfigureInfrastructure(infrastructure =>
        {
            var resources = infrastructure.GetProvisionableResources().ToList();
            var account = resources.OfType<StorageAccount>().Single();
            account.AllowBlobPublicAccess = false;
            var blobs = resources.OfType<BlobService>().Single();
            blobs.IsVersioningEnabled = true;
            blobs.DeleteRetentionPolicy = new DeleteRetentionPolicy { IsEnabled = true, Days = settings.SoftDeleteDays };
            blobs.ContainerDeleteRetentionPolicy = new DeleteRetentionPolicy { IsEnabled = true, Days = settings.SoftDeleteDays };
            infrastructure.Add(new StorageAccountManagementPolicy("lifecycle")
            {
                Parent = account,
                Rules =
                {
                    new ManagementPolicyRule
                    {
                        Name = "raw-events-by-age",
                        IsEnabled = true,
                        RuleType = ManagementPolicyRuleType.Lifecycle,
                        Definition = new ManagementPolicyDefinition
                        {
                            Filters = new ManagementPolicyFilter { BlobTypes = { "blockBlob" }, PrefixMatch = { PlatformNames.RawEvents + "/" } },
                            Actions = new ManagementPolicyAction
                            {
                                BaseBlob = new ManagementPolicyBaseBlob
                                {
                                    TierToCool = new DateAfterModification { DaysAfterModificationGreaterThan = settings.CoolAfterDays },
                                    TierToArchive = new DateAfterModification { DaysAfterModificationGreaterThan = settings.ArchiveAfterDays },
                                },
                            },
                        },
                    },
                },
            });
        });

    /// <summary>Version 17 as in development: from there on a transaction as a whole is bounded, too (BoundedTransaction).</summary>
    public static IResourceBuilder<AzurePostgresFlexibleServerResource> ConfigureAzure(this IResourceBuilder<AzurePostgresFlexibleServerResource> postgres, PlatformSettings settings) =>
        postgres.ConfigureInfrastructure(infrastructure =>
        {
            var server = infrastructure.GetProvisionableResources().OfType<PostgreSqlFlexibleServer>().Single();
            server.Version = new StringLiteralExpression("17");
            server.Sku = new PostgreSqlFlexibleServerSku { Name = settings.PostgresSku, Tier = Enum.Parse<PostgreSqlFlexibleServerSkuTier>(settings.PostgresTier) };
            server.StorageSizeInGB = settings.PostgresStorage;
            server.Backup.BackupRetentionDays = settings.PostgresBackupDays;
            server.Backup.GeoRedundantBackup = settings.PostgresGeoBackup ? PostgreSqlFlexibleServerGeoRedundantBackupEnum.Enabled : PostgreSqlFlexibleServerGeoRedundantBackupEnum.Disabled;
            server.HighAvailability.Mode = settings.PostgresHighAvailability ? PostgreSqlFlexibleServerHighAvailabilityMode.ZoneRedundant : PostgreSqlFlexibleServerHighAvailabilityMode.Disabled;
        });

    /// <summary>A job that ends; azure.yaml starts it after each deployment, before the services where they are deployed after it.</summary>
    public static IResourceBuilder<ProjectResource> PublishAsMigrationJob(this IResourceBuilder<ProjectResource> migrator) =>
        migrator.PublishAsAzureContainerAppJob((_, job) =>
        {
            job.Configuration.ReplicaTimeout = 1800;
            job.Configuration.ReplicaRetryLimit = 2;
        });

    /// <summary>Replicas by the requests at once.</summary>
    public static IResourceBuilder<ProjectResource> PublishWithHttpScale(this IResourceBuilder<ProjectResource> service, ServiceSize size) =>
        service.Publish(size, size.MaxReplicas, _ => new ContainerAppScaleRule
        {
            Name = "requests",
            Http = new ContainerAppHttpScaleRule { Metadata = { { "concurrentRequests", size.ConcurrentRequests.ToString(CultureInfo.InvariantCulture) } } },
        });

    /// <summary>
    /// Replicas by the group's unread events, as the view stream_lag has them. Positions are in PostgreSQL: KEDA's own Event Hubs scaler looks for them in blobs, would find none, and take every retained event for unread.
    /// </summary>
    public static IResourceBuilder<ProjectResource> PublishWithLagScale(this IResourceBuilder<ProjectResource> service, ServiceSize size, PlatformSettings settings, string group, LagSource lag)
    {
        const string passwordSecret = "postgres-password";
        return service.Publish(size, Math.Min(size.MaxReplicas, settings.Partitions), infrastructure => new ContainerAppScaleRule
        {
            Name = "lag",
            Custom = new ContainerAppCustomScaleRule
            {
                CustomScaleRuleType = "postgresql",
                Auth = { new ContainerAppScaleRuleAuth { SecretRef = passwordSecret, TriggerParameter = "password" } },
                Metadata =
                {
                    { "host", lag.Server.Resource.Host.AsProvisioningParameter(infrastructure, "postgresHost") },
                    { "port", "5432" },
                    { "dbName", PlatformNames.Database },
                    { "userName", lag.User.AsProvisioningParameter(infrastructure) },
                    { "sslmode", "require" },
                    { "query", LagQuery.Of(group) },
                    { "targetQueryValue", settings.LagPerReplica.ToString(CultureInfo.InvariantCulture) },
                },
            },
        }, (infrastructure, app) => app.Configuration.Secrets.Add(new ContainerAppWritableSecret { Name = passwordSecret, Value = lag.Password.AsProvisioningParameter(infrastructure) }));
    }

    private static IResourceBuilder<ProjectResource> Publish(
        this IResourceBuilder<ProjectResource> service, ServiceSize size, int maxReplicas, Func<AzureResourceInfrastructure, ContainerAppScaleRule> rule, Action<AzureResourceInfrastructure, ContainerApp>? more = null) =>
        service.WithReplicas(size.MinReplicas).PublishAsAzureContainerApp((infrastructure, app) =>
        {
            app.Template.Containers[0].Value!.Resources = new AppContainerResources { Cpu = size.Cpu, Memory = size.Memory };
            // The services take up to 30 s to commit what they hold.
            app.Template.TerminationGracePeriodSeconds = 60;
            app.Template.Scale.MinReplicas = size.MinReplicas;
            app.Template.Scale.MaxReplicas = Math.Max(size.MinReplicas, maxReplicas);
            app.Template.Scale.Rules.Add(rule(infrastructure));
            // What a way back needs.
            app.Configuration.MaxInactiveRevisions = 10;
            more?.Invoke(infrastructure, app);
        });
}

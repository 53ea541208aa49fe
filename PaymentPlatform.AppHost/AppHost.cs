using Azure.Provisioning.EventHubs;
using Azure.Provisioning.Storage;
using PaymentPlatform;
using PaymentPlatform.AppHost;

var builder = DistributedApplication.CreateBuilder(args);
var settings = PlatformSettings.Read(builder.Configuration);
builder.AddAzureContainerAppEnvironment("apps");

// The stream. The emulator forgets it when it stops; positions carry the log's id, so that the next one is read from its beginning.
var eventHubs = builder.AddAzureEventHubs(PlatformNames.EventHubs).RunAsEmulator().ConfigureAzure(settings);
var payments = eventHubs.AddHub(PlatformNames.Stream).WithProperties(hub => hub.PartitionCount = settings.Partitions);
payments.AddConsumerGroup("payments-archiver", PlatformNames.ArchiverGroup);
payments.AddConsumerGroup("payments-metrics", PlatformNames.MetricsGroup);

// The archive.
var storage = builder.AddAzureStorage("storage").RunAsEmulator(azurite => azurite.KeepData(settings)).ConfigureAzure(settings);
var blobs = storage.AddBlobs(PlatformNames.Blobs);
var rawEvents = storage.AddBlobContainer(PlatformNames.RawEvents);

// The database: positions, manifest, figures. A container here, Azure Database for PostgreSQL there, the password in Key Vault.
var databaseUser = builder.AddParameter("postgres-user", "platform", publishValueAsDefault: true);
var databasePassword = builder.AddParameter("postgres-password", Generated.Secret(), secret: true, persist: true);
var postgres = builder.AddAzurePostgresFlexibleServer("postgres").WithPasswordAuthentication(databaseUser, databasePassword)
    .RunAsContainer(server => server.KeepData(settings)).ConfigureAzure(settings);
var database = postgres.AddDatabase(PlatformNames.Database);
var lag = new LagSource(postgres, databaseUser, databasePassword);

// Whoever deploys finds the first operate key among the deployment's secrets, and makes the others with it.
var operateKey = builder.AddParameter("operate-key", Generated.Secret(), secret: true, persist: true);

var migrator = builder.AddProject<Projects.PaymentPlatform_Migrator>(PlatformNames.Migrator)
    .WithReference(database).WaitFor(database)
    .WithReference(blobs).WaitFor(rawEvents)
    .WithRoleAssignments(storage, StorageBuiltInRole.StorageBlobDataReader)
    .PublishAsMigrationJob();

Service<Projects.PaymentPlatform_Ingest>(PlatformNames.Ingest)
    .WithRoleAssignments(eventHubs, EventHubsBuiltInRole.AzureEventHubsDataSender)
    .WithExternalHttpEndpoints().ShowUrl("POST /v1/transactions", "/v1/transactions")
    .PublishWithHttpScale(settings.Ingest);

Service<Projects.PaymentPlatform_BlobArchiver>(PlatformNames.BlobArchiver)
    .WithReference(blobs).WaitFor(rawEvents)
    .WithRoleAssignments(eventHubs, EventHubsBuiltInRole.AzureEventHubsDataReceiver)
    .WithRoleAssignments(storage, StorageBuiltInRole.StorageBlobDataContributor)
    .ShowHealthOnly()
    .PublishWithLagScale(settings.BlobArchiver, settings, PlatformNames.ArchiverGroup, lag);

// Reads the archive to rebuild figures.
Service<Projects.PaymentPlatform_Metrics>(PlatformNames.Metrics)
    .WithReference(blobs).WaitFor(rawEvents)
    .WithRoleAssignments(eventHubs, EventHubsBuiltInRole.AzureEventHubsDataReceiver)
    .WithRoleAssignments(storage, StorageBuiltInRole.StorageBlobDataReader)
    .ShowHealthOnly()
    .PublishWithLagScale(settings.Metrics, settings, PlatformNames.MetricsGroup, lag);

Service<Projects.PaymentPlatform_Query>(PlatformNames.Query)
    .WithReference(blobs).WaitFor(rawEvents)
    .WithRoleAssignments(eventHubs, EventHubsBuiltInRole.AzureEventHubsDataSender)
    .WithRoleAssignments(storage, StorageBuiltInRole.StorageBlobDataReader)
    .WithExternalHttpEndpoints().ShowUrl("Console", "/").AlsoShowUrl("OpenAPI", "/openapi/v1.json")
    .PublishWithHttpScale(settings.Query);

Service<Projects.PaymentPlatform_Simulator>(PlatformNames.Simulator).ShowHealthOnly().WithExplicitStart().ExcludeFromManifest();

builder.Build().Run();

IResourceBuilder<ProjectResource> Service<TProject>(string name)
    where TProject : IProjectMetadata, new() => builder.AddProject<TProject>(name, launchProfileName: "http")
        .WithEnvironment(PlatformNames.TransportSetting, PlatformNames.Transport)
        .WithEnvironment(PlatformNames.OperateKeySetting, operateKey)
        .WithReference(payments).WaitFor(payments)
        .WithReference(database).WaitFor(database).WaitForCompletion(migrator)
        .WithHttpProbe(ProbeType.Readiness, PlatformNames.ReadyPath, timeoutSeconds: 6)
        .WithHttpProbe(ProbeType.Liveness, PlatformNames.AlivePath, initialDelaySeconds: 10, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6);

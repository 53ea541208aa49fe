namespace PaymentPlatform;

/// <summary>The names on which the AppHost and the services must agree. Compiled into both; tests/PaymentPlatform.Topology.Tests holds what each side does against it.</summary>
internal static class PlatformNames
{
    /// <summary>The hub, and the connection string of the stream.</summary>
    public const string Stream = "payments";

    /// <summary>The namespace of the hub, or its emulator.</summary>
    public const string EventHubs = "eventhubs";

    /// <summary>The database, and its connection string.</summary>
    public const string Database = "paymentsdb";

    /// <summary>The connection string of the blobs.</summary>
    public const string Blobs = "blobs";

    /// <summary>The archive's container.</summary>
    public const string RawEvents = "raw-events";

    public const string ArchiverGroup = "archiver";
    public const string MetricsGroup = "metrics";

    /// <summary>Ready to work: every check.</summary>
    public const string ReadyPath = "/health";

    /// <summary>The process itself.</summary>
    public const string AlivePath = "/alive";

    /// <summary>The transport of all services under the AppHost and in Azure.</summary>
    public const string Transport = "EventHubs";

    public const string TransportSetting = "Streaming__Transport";
    public const string OperateKeySetting = "Access__OperateKey";

    public const string Migrator = "migrator";
    public const string Ingest = "ingest";
    public const string BlobArchiver = "blob-archiver";
    public const string Metrics = "metrics";
    public const string Query = "query";
    public const string Simulator = "simulator";
}

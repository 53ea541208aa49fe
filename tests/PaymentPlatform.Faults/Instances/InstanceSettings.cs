using System.Globalization;

namespace PaymentPlatform.Faults.Instances;

/// <summary>The services' own options, short enough for a run of two seconds.</summary>
internal static class InstanceSettings
{
    /// <param name="name">The instance's.</param>
    public static IEnumerable<KeyValuePair<string, string?>> Of(RunPlace place, string name, string databaseConnectionString) => new Dictionary<string, string?>
    {
        ["ConnectionStrings:paymentsdb"] = databaseConnectionString,
        ["ConnectionStrings:blobs"] = place.BlobConnectionString,
        ["Storage:Container"] = place.Container,
        ["Storage:MinPoolSize"] = "0",
        ["Storage:CommandTimeout"] = "00:00:04",
        ["Storage:ConnectTimeout"] = "00:00:04",
        ["Streaming:Partitions"] = place.Scenario.Partitions.ToString(CultureInfo.InvariantCulture),
        ["Streaming:LeaseDuration"] = "00:00:01",
        ["Ingest:MaxEventBytes"] = MaxEventBytes.ToString(CultureInfo.InvariantCulture),
        ["Archiver:FlushRows"] = place.Scenario.FlushRows.ToString(CultureInfo.InvariantCulture),
        ["Archiver:FlushAge"] = place.Scenario.FlushAge.ToString("c"),
        ["Archiver:MaxRetryDelay"] = "00:00:00.300",
        ["Archiver:PendingTimeout"] = "00:00:03",
        ["Archiver:SweepInterval"] = "00:00:00.500",
        ["Archiver:RestoreInterval"] = "00:00:01",
        ["Archiver:CompactionInterval"] = place.Scenario.Earlier == TimeSpan.Zero ? "00:00:00" : "00:00:00.200",
        ["Archiver:CompactionDelay"] = "00:00:00",
        ["Archiver:SupersededRetention"] = place.Scenario.DropsOriginals ? "00:00:00" : "01:00:00",
        ["Metrics:CommitInterval"] = place.Scenario.CommitInterval.ToString("c"),
        ["Metrics:FoldInterval"] = "00:00:00.200",
        ["Metrics:StopTimeout"] = "00:00:02",
        ["Query:CacheDirectory"] = Path.Combine(place.Folder, name),
        ["Query:EngineMemory"] = (64 << 20).ToString(CultureInfo.InvariantCulture),
        ["Query:EngineThreads"] = "1",
        ["Query:LookupRefresh"] = "01:00:00",
        ["Query:ReplayLease"] = "00:00:03",
        ["Query:ReplayAttempts"] = "1000",
    };

    /// <summary>A larger event is refused at the door.</summary>
    public const int MaxEventBytes = 2_048;
}

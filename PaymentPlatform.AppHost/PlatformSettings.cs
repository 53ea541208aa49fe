using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;

namespace PaymentPlatform.AppHost;

/// <summary>
/// Section <c>Platform</c>: how large each environment is. appsettings.json holds what a developer's machine needs; appsettings.Development.json, .Staging.json and
/// .Production.json hold what differs, chosen by DOTNET_ENVIRONMENT, which azd takes from its environment.
/// </summary>
internal sealed class PlatformSettings
{
    public const string Section = "Platform";

    /// <summary>Whether containers and their data outlive a run. Tests switch it off.</summary>
    public bool KeepData { get; set; } = true;

    /// <summary>Of the hub. Fixed for a Standard hub once it is made; more replicas of a consumer than this do nothing.</summary>
    [Range(1, 32)]
    public int Partitions { get; set; } = 4;

    /// <summary>Each takes 1 MB/s or 1,000 events/s in, and 2 MB/s out.</summary>
    [Range(1, 40)]
    public int ThroughputUnits { get; set; } = 1;

    /// <summary>Auto-inflate goes up to this, never down again by itself.</summary>
    [Range(1, 40)]
    public int MaxThroughputUnits { get; set; } = 2;

    /// <summary>How long the hub keeps an event, read or not: the time in which an outage of a consumer must be over. Standard allows 168.</summary>
    [Range(1, 168)]
    public int RetentionHours { get; set; } = 24;

    /// <summary>How long a deleted or overwritten blob can be had back.</summary>
    [Range(1, 365)]
    public int SoftDeleteDays { get; set; } = 7;

    [Range(1, 89)]
    public int CoolAfterDays { get; set; } = 30;

    /// <summary>Archived blobs take hours to come back. Not below 30 days in cool, which are charged for in any case.</summary>
    [Range(31, 3650)]
    public int ArchiveAfterDays { get; set; } = 90;

    [Required]
    public string PostgresSku { get; set; } = "Standard_B1ms";

    /// <summary>Burstable, GeneralPurpose or MemoryOptimized; must be the sku's own.</summary>
    [Required, AllowedValues("Burstable", "GeneralPurpose", "MemoryOptimized")]
    public string PostgresTier { get; set; } = "Burstable";

    /// <summary>GiB.</summary>
    [AllowedValues(32, 64, 128, 256, 512, 1024, 2048, 4096)]
    public int PostgresStorage { get; set; } = 32;

    [Range(7, 35)]
    public int PostgresBackupDays { get; set; } = 7;

    /// <summary>A standby in another zone. Not with Burstable.</summary>
    public bool PostgresHighAvailability { get; set; }

    /// <summary>Backups in the paired region as well. Fixed once the server is made.</summary>
    public bool PostgresGeoBackup { get; set; }

    /// <summary>Unread events for which a consumer gets one more replica.</summary>
    [Range(100, 10_000_000)]
    public int LagPerReplica { get; set; } = 50_000;

    [Required]
    public ServiceSize Ingest { get; set; } = new();

    [Required]
    public ServiceSize BlobArchiver { get; set; } = new() { Memory = "2Gi", Cpu = 1 };

    [Required]
    public ServiceSize Metrics { get; set; } = new();

    [Required]
    public ServiceSize Query { get; set; } = new() { Memory = "2Gi", Cpu = 1 };

    /// <exception cref="InvalidOperationException">A setting is wrong; one line names it.</exception>
    public static PlatformSettings Read(IConfiguration configuration)
    {
        var settings = configuration.GetSection(Section).Get<PlatformSettings>() ?? new();
        var wrong = new List<ValidationResult>();
        Check(settings, "");
        Check(settings.Ingest, $"{nameof(Ingest)}:");
        Check(settings.BlobArchiver, $"{nameof(BlobArchiver)}:");
        Check(settings.Metrics, $"{nameof(Metrics)}:");
        Check(settings.Query, $"{nameof(Query)}:");
        if (settings.ThroughputUnits > settings.MaxThroughputUnits)
            wrong.Add(new($"{Section}:{nameof(ThroughputUnits)} ({settings.ThroughputUnits}) is more than {Section}:{nameof(MaxThroughputUnits)} ({settings.MaxThroughputUnits})."));
        if (settings is { PostgresHighAvailability: true, PostgresTier: "Burstable" })
            wrong.Add(new($"{Section}:{nameof(PostgresHighAvailability)} needs another {Section}:{nameof(PostgresTier)} than Burstable."));
        return wrong.Count == 0 ? settings : throw new InvalidOperationException(string.Join(' ', wrong.Select(result => result.ErrorMessage)));

        void Check(object part, string path)
        {
            var found = new List<ValidationResult>();
            if (!Validator.TryValidateObject(part, new(part), found, validateAllProperties: true))
                wrong.AddRange(found.Select(result => new ValidationResult($"{Section}:{path}{string.Join(',', result.MemberNames)}: {result.ErrorMessage}")));
        }
    }
}

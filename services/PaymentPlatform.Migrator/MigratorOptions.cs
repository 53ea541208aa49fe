using System.ComponentModel.DataAnnotations;

namespace PaymentPlatform.Migrator;

/// <summary>Section <c>Migrator</c>.</summary>
internal sealed class MigratorOptions
{
    public const string Section = "Migrator";

    /// <summary>How long a store that does not answer yet is waited for; a new server may take a while.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00", ErrorMessage = "Migrator:WaitForStores must lie between 00:00:00 and 01:00:00.")]
    public TimeSpan WaitForStores { get; set; } = TimeSpan.FromMinutes(2);
}

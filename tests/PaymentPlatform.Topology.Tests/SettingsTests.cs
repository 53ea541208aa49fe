using Microsoft.Extensions.Configuration;
using PaymentPlatform.AppHost;

namespace PaymentPlatform.Topology.Tests;

/// <summary>The sizes of the environments, as the AppHost reads them.</summary>
public sealed class SettingsTests
{
    [Theory]
    [InlineData("Development", false)]
    [InlineData("Staging", false)]
    [InlineData("Production", true)]
    public void Read_EachEnvironment_IsSound(string environment, bool withStandby)
    {
        var settings = PlatformSettings.Read(Configuration(environment));
        Assert.Equal(withStandby, settings.PostgresHighAvailability);
        Assert.Equal(90, settings.ArchiveAfterDays);
        // A replica without a partition has nothing to do.
        Assert.InRange(settings.BlobArchiver.MaxReplicas, 1, settings.Partitions);
        Assert.InRange(settings.Metrics.MaxReplicas, 1, settings.Partitions);
    }

    [Theory]
    [InlineData("Staging")]
    [InlineData("Production")]
    public void Read_EachEnvironment_EverySettingOfTheFileIsKnown(string environment)
    {
        var file = RepositoryFiles.ReadJson($"PaymentPlatform.AppHost/appsettings.{environment}.json").GetProperty(PlatformSettings.Section);
        foreach (var setting in file.EnumerateObject())
        {
            var property = typeof(PlatformSettings).GetProperty(setting.Name);
            Assert.True(property is not null, $"appsettings.{environment}.json: {setting.Name}");
            if (property.PropertyType == typeof(ServiceSize))
                Assert.All(setting.Value.EnumerateObject(), size => Assert.NotNull(typeof(ServiceSize).GetProperty(size.Name)));
        }
    }

    [Theory]
    [InlineData("Partitions", "33", "Platform:Partitions")]
    [InlineData("ThroughputUnits", "5", "Platform:MaxThroughputUnits")]
    [InlineData("RetentionHours", "169", "Platform:RetentionHours")]
    [InlineData("ArchiveAfterDays", "10", "Platform:ArchiveAfterDays")]
    [InlineData("PostgresTier", "Huge", "Platform:PostgresTier")]
    [InlineData("PostgresHighAvailability", "true", "Platform:PostgresHighAvailability needs another")]
    [InlineData("Ingest:MinReplicas", "9", "Platform:Ingest:MinReplicas")]
    [InlineData("Query:Memory", "3Gi", "Platform:Query:Memory: must be 2Gi for 1 cores.")]
    public void Read_Wrong_RefusedByName(string key, string value, string named)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new($"{PlatformSettings.Section}:{key}", value)]).Build();
        Assert.Contains(named, Assert.Throws<InvalidOperationException>(() => PlatformSettings.Read(configuration)).Message);
    }

    private static IConfiguration Configuration(string environment) => new ConfigurationBuilder()
        .AddJsonFile(RepositoryFiles.PathOf("PaymentPlatform.AppHost/appsettings.json"))
        .AddJsonFile(RepositoryFiles.PathOf($"PaymentPlatform.AppHost/appsettings.{environment}.json"))
        .Build();
}

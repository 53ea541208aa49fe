using System.Reflection;
using PaymentPlatform.BlobArchiver;
using PaymentPlatform.Ingest;
using PaymentPlatform.Metrics;
using PaymentPlatform.Query;
using PaymentPlatform.Simulator;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Streaming;
using PaymentPlatform.Streaming.Kafka;

namespace PaymentPlatform.Standalone.Run;

/// <summary>Finds names in the services' sections that no option has: binding passes over them, and the default would hold unnoticed.</summary>
internal static class OptionNames
{
    /// <summary>Of all services, whichever run: processes share an appsettings.json.</summary>
    private static readonly (string Section, Type Options)[] Sections =
    [
        (StreamingOptions.Section, typeof(StreamingOptions)),
        (KafkaOptions.Section, typeof(KafkaOptions)),
        (IngestOptions.Section, typeof(IngestOptions)),
        (ArchiverOptions.Section, typeof(ArchiverOptions)),
        (MetricsOptions.Section, typeof(MetricsOptions)),
        (QueryOptions.Section, typeof(QueryOptions)),
        (SimulatorOptions.Section, typeof(SimulatorOptions)),
        (HybridConnectionOptions.Section, typeof(HybridConnectionOptions)),
    ];

    /// <summary>Sections whose keys others read, or people name.</summary>
    private static readonly string[] s_others = ["Access", "Aspire", "ConnectionStrings", "Http", "Kestrel", "Logging", "Services"];

    /// <summary>What is wrong with the name of an option on the command line; null when nothing is. Other sources may hold what is meant for others.</summary>
    /// <param name="path"><c>Section:Key</c></param>
    public static string? FindFault(string path)
    {
        var section = path[..path.IndexOf(':')];
        var known = Sections.Select(s => s.Section.Split(':')[0]).Concat(s_others).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal).ToList();
        return known.Contains(section, StringComparer.OrdinalIgnoreCase) ? null : $"There is no section '{section}' for '--{path}'. Known: {string.Join(", ", known)}; docs/configuration.md lists their options.";
    }

    /// <exception cref="StartFaultException">There is such a name.</exception>
    public static void Check(IConfiguration configuration)
    {
        var unknown = Sections.SelectMany(s => configuration.GetSection(s.Section).GetChildren().Where(child => !IsKnown(child, s.Options))).Select(child => child.Path).ToList();
        if (unknown.Count > 0)
            throw new StartFaultException($"There is no option {string.Join(", ", unknown)}: docs/configuration.md lists all that there are.", PlatformCommandLine.WrongUsage);
    }

    private static bool IsKnown(IConfigurationSection child, Type options) =>
        options.GetProperty(child.Key, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase) is not null
        || Sections.Any(s => s.Section.Equals(child.Path, StringComparison.OrdinalIgnoreCase));
}

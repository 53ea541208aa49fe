using System.Reflection;
using System.Text.Json;

namespace PaymentPlatform.Topology.Tests;

/// <summary>The source tree this suite was built from.</summary>
internal static class RepositoryFiles
{
    private static string Root { get; } = typeof(RepositoryFiles).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    public static string PathOf(string file) => Path.Combine(Root, file);

    public static bool Exists(string file) => File.Exists(PathOf(file)) || Directory.Exists(PathOf(file));

    public static string Read(string file) => File.ReadAllText(PathOf(file));

    public static JsonElement ReadJson(string file) => JsonDocument.Parse(Read(file), new() { CommentHandling = JsonCommentHandling.Skip }).RootElement;

    /// <summary>Relative, with forward slashes.</summary>
    public static IEnumerable<string> Projects() =>
        new[] { "", "services", "tests", "bench" }
            .Select(PathOf).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateDirectories(folder, "PaymentPlatform.*"))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj"))
            .Select(project => Path.GetRelativePath(Root, project).Replace('\\', '/'));
}

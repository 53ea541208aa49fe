using System.Text.Json;
using System.Text.RegularExpressions;

namespace PaymentPlatform.Topology.Tests;

/// <summary>azure.yaml, workflows, launch settings, solutions and versions name what is there.</summary>
public sealed class FilesTests
{
    internal static readonly string[] NeedAspire = ["PaymentPlatform.AppHost/PaymentPlatform.AppHost.csproj", "tests/PaymentPlatform.AppHost.Tests/PaymentPlatform.AppHost.Tests.csproj"];

    private static readonly string[] s_listening = ["Ingest", "BlobArchiver", "Metrics", "Query", "Simulator"];

    [Fact]
    public void AzureYaml_OneServiceTheAppHost_AndItsHooksExist()
    {
        var yaml = RepositoryFiles.Read("azure.yaml");
        Assert.Equal(["./PaymentPlatform.AppHost/PaymentPlatform.AppHost.csproj"], Regex.Matches(yaml, @"^\s+project:\s*(\S+)", RegexOptions.Multiline).Select(match => match.Groups[1].Value));
        Assert.Single(Regex.Matches(yaml, @"^\s+host:", RegexOptions.Multiline));
        Assert.Equal(["./deploy/migrate.sh", "./deploy/migrate.ps1"], Regex.Matches(yaml, @"^\s+run:\s*(\S+)", RegexOptions.Multiline).Select(match => match.Groups[1].Value));
        Assert.True(RepositoryFiles.Exists("PaymentPlatform.AppHost/PaymentPlatform.AppHost.csproj"));
        var steps = Regex.Matches(yaml, @"- azd:\s*(.+)").Select(match => match.Groups[1].Value.Trim());
        Assert.Equal(["provision", $"deploy {PlatformNames.Migrator}", "deploy --all"], steps);
    }

    [Theory]
    [InlineData("deploy/migrate.sh")]
    [InlineData("deploy/migrate.ps1")]
    public void MigrateScript_StartsTheMigratorsJob(string script) =>
        Assert.All(Regex.Matches(RepositoryFiles.Read(script), "--name (\\S+)"), match => Assert.Equal(PlatformNames.Migrator, match.Groups[1].Value));

    [Theory]
    [InlineData(".github/workflows/ci.yml")]
    [InlineData(".github/workflows/azure-dev.yml")]
    public void Workflow_ProjectsAndFiles_Exist(string workflow)
    {
        var text = RepositoryFiles.Read(workflow);
        var paths = Regex.Matches(text, @"(?:--project |dotnet build |global-json-file: |run: )(\./)?(?<path>[\w./-]*(?:PaymentPlatform|global|platform)[\w./-]*)").Select(match => match.Groups["path"].Value).ToList();
        Assert.NotEmpty(paths);
        Assert.All(paths, path => Assert.True(RepositoryFiles.Exists(path), path));
        Assert.All(Regex.Matches(text, @"azd deploy (?!--)(\w\S*)"), match => Assert.Equal(PlatformNames.Migrator, match.Groups[1].Value));
    }

    [Fact]
    public void LaunchSettings_EveryServiceHasAnHttpEndpoint_OnAPortOfItsOwn()
    {
        var launched = Regex.Matches(AppHostSource.Read("AppHost.cs"), @"launchProfileName:\s*""(\w+)""").Select(match => match.Groups[1].Value).Single();
        var ports = new List<int>();
        foreach (var service in s_listening)
        {
            var profile = RepositoryFiles.ReadJson($"services/PaymentPlatform.{service}/Properties/launchSettings.json").GetProperty("profiles").GetProperty(launched);
            var address = new Uri(profile.GetProperty("applicationUrl").GetString()!);
            Assert.Equal(("http", "localhost"), (address.Scheme, address.Host));
            Assert.Equal("Development", profile.GetProperty("environmentVariables").GetProperty("ASPNETCORE_ENVIRONMENT").GetString());
            ports.Add(address.Port);
        }

        foreach (var profile in RepositoryFiles.ReadJson("PaymentPlatform.AppHost/Properties/launchSettings.json").GetProperty("profiles").EnumerateObject())
            Assert.DoesNotContain(Ports(profile.Value), ports.Contains);
        Assert.Equal(ports.Distinct(), ports);
        // ./platform run's own.
        Assert.DoesNotContain(8080, ports);
    }

    [Fact]
    public void AppHostLaunchSettings_EachProfile_HasTheDashboardsPortsApart()
    {
        foreach (var profile in RepositoryFiles.ReadJson("PaymentPlatform.AppHost/Properties/launchSettings.json").GetProperty("profiles").EnumerateObject())
        {
            var ports = Ports(profile.Value).ToList();
            Assert.True(ports.Count >= 4, profile.Name);
            Assert.Equal(ports.Distinct(), ports);
        }
    }

    /// <summary>The SDK may be another patch: a feed may lack one.</summary>
    [Fact]
    public void Aspire_OneVersion_PackagesAndTool_AndItsMinorOfTheSdk()
    {
        var version = Regex.Match(RepositoryFiles.Read("Directory.Packages.props"), "<AspireVersion>(.+)</AspireVersion>").Groups[1].Value;
        Assert.NotEmpty(version);
        Assert.Contains($"Sdk=\"Aspire.AppHost.Sdk/{version[..version.LastIndexOf('.')]}.", AppHostSource.Read("PaymentPlatform.AppHost.csproj"));
        Assert.Equal(version, RepositoryFiles.ReadJson(".config/dotnet-tools.json").GetProperty("tools").GetProperty("aspire.cli").GetProperty("version").GetString());
        Assert.True(RepositoryFiles.Exists(RepositoryFiles.ReadJson("aspire.config.json").GetProperty("appHost").GetProperty("path").GetString()!));
    }

    [Fact]
    public void Solution_HasEveryProject_AndTheFilterAllButThoseOfAspire()
    {
        var all = RepositoryFiles.Projects().Order(StringComparer.Ordinal).ToList();
        var solution = Regex.Matches(RepositoryFiles.Read("PaymentPlatform.sln"), @"""(?<path>[^""]+\.csproj)""").Select(match => match.Groups["path"].Value.Replace('\\', '/')).Order(StringComparer.Ordinal);
        Assert.Equal(all, solution);
        var filter = RepositoryFiles.ReadJson("PaymentPlatform.Standalone.slnf").GetProperty("solution").GetProperty("projects").EnumerateArray().Select(project => project.GetString()!.Replace('\\', '/'));
        Assert.Equal(all.Except(NeedAspire), filter.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<int> Ports(JsonElement profile) =>
        Regex.Matches(profile.GetRawText(), @"://localhost:(\d+)").Select(match => int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture));
}

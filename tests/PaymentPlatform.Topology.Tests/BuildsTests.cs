using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PaymentPlatform.Topology.Tests;

/// <summary>The build with the Aspire packages and the one without stand side by side: neither writes where the other reads, and the second asks a feed for nothing of Aspire.</summary>
public sealed partial class BuildsTests
{
    private static readonly string[] s_paths = ["ArtifactsPath", "BaseIntermediateOutputPath", "MSBuildProjectExtensionsPath", "OutputPath", "PublishDir"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("services/PaymentPlatform.Streaming/PaymentPlatform.Streaming.csproj", null, "artifacts/aspire/")]
    [InlineData("services/PaymentPlatform.Streaming/PaymentPlatform.Streaming.csproj", "false", "artifacts/standalone/")]
    [InlineData("tests/PaymentPlatform.Streaming.Tests/PaymentPlatform.Streaming.Tests.csproj", null, "artifacts/aspire/")]
    [InlineData("tests/PaymentPlatform.Streaming.Tests/PaymentPlatform.Streaming.Tests.csproj", "false", "artifacts/standalone/")]
    public async Task UseAspire_EachValue_HasFoldersOfItsOwn(string project, string? useAspire, string folder)
    {
        var paths = await EvaluateAsync(project, useAspire);
        foreach (var name in s_paths)
            Assert.StartsWith(Path.GetFullPath(RepositoryFiles.PathOf(folder)), Path.GetFullPath(paths.GetProperty(name).GetString()!, Path.GetDirectoryName(RepositoryFiles.PathOf(project))!) + Path.DirectorySeparatorChar);
    }

    [Fact]
    public void Projects_WriteNowhereElse()
    {
        foreach (var project in RepositoryFiles.Projects())
        {
            Assert.DoesNotMatch(OutputSetting(), RepositoryFiles.Read(project));
            // Both builds would read its restored packages, and compile what the other generated.
            Assert.False(RepositoryFiles.Exists(Path.Combine(Path.GetDirectoryName(project)!, "obj")), $"{project} has an obj folder of its own.");
        }

        Assert.DoesNotMatch(OutputSetting(), RepositoryFiles.Read("tests/Directory.Build.props"));
        Assert.Contains("<Import Project=\"../Directory.Build.props\" />", RepositoryFiles.Read("tests/Directory.Build.props"));
    }

    [Theory]
    [InlineData("platform", '/')]
    [InlineData("platform.cmd", '\\')]
    public void Door_BuildsWithoutAspire_WhereTheOtherBuildIsNot(string door, char separator)
    {
        var script = RepositoryFiles.Read(door);
        Assert.Contains("UseAspire=false", script);
        Assert.Contains($"artifacts{separator}standalone", script);
        Assert.DoesNotContain("PaymentPlatform.sln", script.Replace("PaymentPlatform.slnf", ""));
    }

    [Fact]
    public void PackagesOfAspire_InTheStandaloneBuild_AreAskedForWithUseAspireOnly()
    {
        foreach (var project in RepositoryFiles.Projects().Except(FilesTests.NeedAspire))
            Assert.All(AspirePackage().Matches(RepositoryFiles.Read(project)), reference => Assert.Contains("Condition=\"'$(UseAspire)' == 'true'\"", reference.Value));
    }

    /// <summary>As MSBuild sees it from a shell of its own, not from ./platform's.</summary>
    private static async Task<JsonElement> EvaluateAsync(string project, string? useAspire)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet") { RedirectStandardOutput = true };
        foreach (var argument in new[] { "msbuild", RepositoryFiles.PathOf(project), "-nologo", $"-getProperty:{string.Join(',', s_paths)}" })
            start.ArgumentList.Add(argument);
        start.Environment.Remove("ArtifactsPath");
        start.Environment.Remove("UseAspire");
        if (useAspire is not null)
            start.Environment["UseAspire"] = useAspire;
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        Assert.True(process.ExitCode == 0, output);
        return JsonDocument.Parse(output).RootElement.GetProperty("Properties");
    }

    [GeneratedRegex("<(ArtifactsPath|UseArtifactsOutput|UseAspire|BaseOutputPath|OutputPath|OutDir|BaseIntermediateOutputPath|IntermediateOutputPath|MSBuildProjectExtensionsPath|RestoreOutputPath)\\b")]
    private static partial Regex OutputSetting();

    [GeneratedRegex("<PackageReference Include=\"(Aspire\\.|Azure\\.Messaging\\.EventHubs|Azure\\.Provisioning)[^>]*>")]
    private static partial Regex AspirePackage();
}

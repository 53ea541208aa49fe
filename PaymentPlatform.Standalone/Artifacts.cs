namespace PaymentPlatform.Standalone;

/// <summary>Where the build put its programs: <c>bin/PROJECT/CONFIGURATION/PROJECT.dll</c> under one artifacts folder.</summary>
internal static class Artifacts
{
    private static readonly DirectoryInfo Own = new(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    /// <summary>The <c>bin</c> folder that this program is in.</summary>
    public static string Bin => Own.Parent!.Parent!.FullName;

    /// <summary>The dotnet that runs us.</summary>
    public static string DotNet => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    public static string Assembly(string project) => Path.Combine(Bin, project, Own.Name, project + ".dll");
}

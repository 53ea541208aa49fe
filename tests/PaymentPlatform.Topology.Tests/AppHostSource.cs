using System.Reflection;
using System.Text.RegularExpressions;

namespace PaymentPlatform.Topology.Tests;

/// <summary>What the AppHost's source says, call by call. A name may come from <see cref="PlatformNames"/> only.</summary>
internal static partial class AppHostSource
{
    public static readonly string[] Files = ["AppHost.cs", "AzureInfrastructure.cs", "LagQuery.cs", "LagSource.cs", "LocalExtensions.cs"];

    /// <summary>The names of PlatformNames and their values.</summary>
    public static IReadOnlyDictionary<string, string> Names { get; } =
        typeof(PlatformNames).GetFields(BindingFlags.Public | BindingFlags.Static).ToDictionary(field => field.Name, field => (string)field.GetRawConstantValue()!);

    public static string Read(string file) => RepositoryFiles.Read($"PaymentPlatform.AppHost/{file}");

    /// <summary>The arguments of each call of a method in AppHost.cs, in order; a name of PlatformNames is replaced by its value.</summary>
    public static IReadOnlyList<string[]> Calls(string method) =>
        [.. Regex.Matches(Read("AppHost.cs"), $@"[.\s]{Regex.Escape(method)}\((?<arguments>[^()]*(\([^()]*\)[^()]*)*)\)").Select(call => call.Groups["arguments"].Value.Split(',').Select(Value).ToArray())];

    /// <summary>What stands in quotes, but for the keys of a scaler's metadata: those are KEDA's names.</summary>
    public static IEnumerable<string> Literals(string file) => Literal().Matches(WithoutComments(Read(file))).Where(literal => !literal.Groups["key"].Success).Select(literal => literal.Groups["text"].Value);

    private static string WithoutComments(string source) => string.Join('\n', source.Split('\n').Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal)));

    private static string Value(string argument)
    {
        argument = argument.Trim();
        const string names = nameof(PlatformNames) + ".";
        return argument.StartsWith(names, StringComparison.Ordinal) && Names.TryGetValue(argument[names.Length..], out var value) ? value : argument;
    }

    [GeneratedRegex("(?<key>\\{ )?\"(?<text>[^\"]*)\"")]
    private static partial Regex Literal();
}

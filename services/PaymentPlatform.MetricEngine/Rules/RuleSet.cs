using System.Security.Cryptography;
using System.Text;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>The rules of one file, taken as a whole.</summary>
public sealed class RuleSet
{
    internal RuleSet(string yaml, IReadOnlyList<RuleDefinition> rules) => (Yaml, Rules) = (yaml, rules);

    /// <summary>The file's text.</summary>
    public string Yaml { get; }

    /// <summary>All of them in the file's order, also those that are switched off.</summary>
    public IReadOnlyList<RuleDefinition> Rules { get; }

    /// <summary>SHA-256 of the text, in hex.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Yaml)));

    /// <summary>The text of the rules that a payment team starts with.</summary>
    public static string StarterYaml
    {
        get
        {
            using var reader = new StreamReader(typeof(RuleSet).Assembly.GetManifestResourceStream("rules.yaml")!);
            return reader.ReadToEnd();
        }
    }

    /// <summary>The rules that a payment team starts with (rules.yaml).</summary>
    public static RuleSet Starter => Parse(StarterYaml, "rules.yaml").RuleSet!;

    /// <summary>Reads a file, and takes it only as a whole.</summary>
    /// <param name="fileName">For messages.</param>
    public static RuleParseResult Parse(string yaml, string fileName) => RuleFileReader.Read(yaml, fileName);
}

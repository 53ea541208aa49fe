using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PaymentPlatform.Bench;

/// <summary>The options after the benchmark's name, all of the form <c>--name value</c>.</summary>
internal sealed class BenchArguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <summary>Events to run over, one a line, or (lookup, scan) the folder that keeps the archive; null for generated ones.</summary>
    public string? Data => this["data"];

    /// <summary>Where the rows go as JSON.</summary>
    public string? Json => this["json"];

    public string? this[string name] => _values.GetValueOrDefault(name);

    public int Number(string name, int otherwise) => this[name] is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    public static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out BenchArguments? arguments)
    {
        arguments = new BenchArguments();
        for (var i = 0; i < args.Length; i += 2)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == args.Length)
            {
                arguments = null;
                return false;
            }

            arguments._values[args[i][2..]] = args[i + 1];
        }

        return true;
    }
}

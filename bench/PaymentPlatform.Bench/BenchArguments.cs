using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PaymentPlatform.Bench;

/// <summary>The options after the benchmark's name, all of the form <c>--name value</c>.</summary>
internal sealed class BenchArguments
{
    private const string Count = "N";

    /// <summary>What may be said, and of what kind it is.</summary>
    private static readonly (string Name, string Kind)[] Known =
    [
        ("data", "FILE|DIR"), ("json", "FILE"), ("rate", Count), ("step", Count), ("seconds", Count), ("warmup", Count), ("probes", Count), ("events", Count), ("seed", Count), ("config", "FILE"), ("clickhouse", "PATH"),
    ];

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public static string Usage => string.Join(' ', Known.Select(option => $"[--{option.Name} {option.Kind}]"));

    /// <summary>Events to run over, one a line, or (lookup, scan) the folder that keeps the archive; null for generated ones.</summary>
    public string? Data => this["data"];

    /// <summary>Where the rows go as JSON.</summary>
    public string? Json => this["json"];

    public string? this[string name] => _values.GetValueOrDefault(name);

    public int Number(string name, int otherwise) => this[name] is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <param name="fault">One line, when it is not true.</param>
    public static bool TryParse(ReadOnlySpan<string> args, [NotNullWhen(true)] out BenchArguments? arguments, [NotNullWhen(false)] out string? fault)
    {
        (arguments, fault) = (null, null);
        var parsed = new BenchArguments();
        for (var i = 0; i < args.Length && fault is null; i += 2)
        {
            var (option, value) = (args[i], i + 1 < args.Length ? args[i + 1] : null);
            var kind = Known.FirstOrDefault(known => option == $"--{known.Name}").Kind;
            fault = kind is null ? $"{option} is no option of the benchmarks."
                : value is null ? $"{option} needs a value: {kind}."
                : kind == Count && !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? $"{option} must be a whole number, not '{value}'."
                : null;
            if (fault is null)
                parsed._values[option[2..]] = value!;
        }

        arguments = fault is null ? parsed : null;
        return fault is null;
    }
}

using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace PaymentPlatform.Simulator;

/// <summary>Reads one mapping of the file, field by field; each fault names the field and its line. What was not asked for is unknown.</summary>
internal sealed class SettingsSection(string file, string path, YamlMappingNode node)
{
    private readonly HashSet<string> _known = [];

    public IEnumerable<(string Name, YamlNode Key, YamlNode Value)> Entries => node.Children.Select(c => (Scalar(c.Key), c.Key, c.Value));

    public string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    public SettingsException Fault(string name, string fault) => new(file, LineOf(name), $"{PathOf(name)} {fault}");

    public SettingsException Fault(YamlNode at, string fault) => new(file, at.Start.Line, fault);

    /// <exception cref="SettingsException">There is a field that nobody asked for.</exception>
    public void RejectUnknown()
    {
        foreach (var (name, key, _) in Entries)
        {
            if (!_known.Contains(name))
                throw Fault(key, $"{PathOf(name)} is not a setting; there are {string.Join(", ", _known.Order())}.");
        }
    }

    public bool Has(string name) => Find(name) is not null;

    /// <summary>Null when it is absent or empty.</summary>
    public YamlNode? Find(string name)
    {
        _known.Add(name);
        return node.Children.TryGetValue(new YamlScalarNode(name), out var value) && !IsNull(value) ? value : null;
    }

    public SettingsSection? Section(string name) => Find(name) switch
    {
        null => null,
        YamlMappingNode mapping => new(file, PathOf(name), mapping),
        _ => throw Fault(name, "must have fields of its own."),
    };

    public string? Text(string name) => Find(name) switch
    {
        null => null,
        YamlScalarNode { Value: { } value } => value,
        _ => throw Fault(name, "must be one value."),
    };

    public double? Number(string name, double least, double most)
    {
        if (Text(name) is not { } text)
            return null;
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
            throw Fault(name, $"is '{text}': it must be a number.");
        return number >= least && number <= most ? number : throw Fault(name, string.Create(CultureInfo.InvariantCulture, $"is {text}: it must lie between {least} and {most}."));
    }

    public long? Integer(string name, long least, long most)
    {
        if (Text(name) is not { } text)
            return null;
        if (!long.TryParse(text.Replace("_", ""), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            throw Fault(name, $"is '{text}': it must be a whole number.");
        return number >= least && number <= most ? number : throw Fault(name, $"is {text}: it must lie between {least} and {most}.");
    }

    public bool? Flag(string name) => Text(name) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        { } text => throw Fault(name, $"is '{text}': it must be true or false."),
    };

    /// <summary><c>90s</c>, <c>10m</c>, <c>2h</c> or <c>00:10:00</c>.</summary>
    public TimeSpan? Duration(string name)
    {
        if (Text(name) is not { } text)
            return null;
        return DurationText.TryParse(text, out var duration) ? duration : throw Fault(name, $"is '{text}': it must be a time such as 90s, 10m, 2h or 00:10:00.");
    }

    public T? OneOf<T>(string name)
        where T : struct, Enum
    {
        if (Text(name) is not { } text)
            return null;
        return Enum.GetNames<T>().FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } found
            ? Enum.Parse<T>(found)
            : throw Fault(name, $"is '{text}': it must be one of {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}.");
    }

    /// <summary>Parts by name; they must sum to 1.</summary>
    public IReadOnlyList<Share>? Shares(string name, Func<string, string?> faultOf)
    {
        if (Section(name) is not { } section)
            return null;
        var shares = new List<Share>();
        foreach (var (value, key, _) in section.Entries)
        {
            if (value.Length is 0 or > 64 || value.Any(char.IsControl))
                throw Fault(key, $"{PathOf(name)} has a name that is empty, longer than 64 characters or has control characters.");
            if (faultOf(value) is { } fault)
                throw Fault(key, $"{PathOf(name)}.{value} {fault}");
            shares.Add(new(value, section.Number(value, 0, 1) ?? throw section.Fault(value, "needs a share from 0 to 1.")));
        }

        CheckSum(name, shares.Select(s => s.Part));
        return shares;
    }

    public void CheckSum(string name, IEnumerable<double> parts)
    {
        // As people write them: 0.1 + 0.2 is 0.3.
        var sum = parts.Sum(p => (decimal)p);
        if (Math.Abs(sum - 1) > 0.0001m)
            throw Fault(name, string.Create(CultureInfo.InvariantCulture, $"sums to {sum:0.######} instead of 1: {(sum < 1 ? "add" : "take away")} {Math.Abs(1 - sum):0.######}."));
    }

    private long LineOf(string name) => node.Children.Keys.FirstOrDefault(k => Scalar(k) == name)?.Start.Line ?? node.Start.Line;

    private static string Scalar(YamlNode key) => (key as YamlScalarNode)?.Value ?? "";

    private static bool IsNull(YamlNode value) => value is YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };
}

using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace PaymentPlatform.Simulator;

/// <summary>Reads simulator.yaml, and takes it only as a whole.</summary>
internal static class SettingsReader
{
    private const double MostRate = 10_000_000;
    private static readonly string[] Statuses = ["completed", "declined", "failed", "timeout", "error", "pending", "cancelled", "refunded"];

    /// <exception cref="SettingsException">The file can't be read or says something that can't be.</exception>
    public static SimulatorSettings ReadFile(string file)
    {
        try
        {
            return Read(System.IO.File.ReadAllText(file), file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException(file, 0, $"can't be read: {exception.Message}", exception);
        }
    }

    /// <param name="file">For messages.</param>
    public static SimulatorSettings Read(string yaml, string file)
    {
        var root = new SettingsSection(file, "", Parse(yaml, file));
        var defaults = SimulatorSettings.Default;
        var settings = ReadEventTime(root, ReadDestination(root, defaults)) with
        {
            Rate = root.Number("rate", 0, MostRate),
            Total = root.Integer("total", 0, long.MaxValue),
            Duration = root.Duration("duration"),
            Seed = root.Integer("seed", long.MinValue, long.MaxValue),
            Customers = (int)(root.Integer("customers", 1, 1_000_000) ?? defaults.Customers),
            Merchants = (int)(root.Integer("merchants", 1, 1_000_000) ?? defaults.Merchants),
            PaymentMethods = root.Shares("payment_methods", _ => null) ?? defaults.PaymentMethods,
            PaymentStatuses = root.Shares("payment_statuses", StatusFault) ?? defaults.PaymentStatuses,
            Currencies = root.Shares("currencies", CurrencyTraits.FaultOf) ?? defaults.Currencies,
            Countries = root.Shares("countries", CountryFault) ?? defaults.Countries,
            MerchantCategories = root.Shares("merchant_categories", _ => null) ?? defaults.MerchantCategories,
            TransactionTypes = root.Shares("transaction_types", name => name == "refund" ? "belongs to payment_statuses: every refunded event is a refund, and no other." : null) ?? defaults.TransactionTypes,
            HoursOfDay = Hours(root),
        };
        settings = AmountReader.Read(root, settings);
        settings = ViolationReader.Read(root, settings);
        root.RejectUnknown();
        CheckRefunds(root, settings);
        return settings;
    }

    private static YamlMappingNode Parse(string yaml, string file)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException exception)
        {
            throw new SettingsException(file, exception.Start.Line, $"is not YAML: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            throw new SettingsException(file, 0, $"is not YAML: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }

        return stream.Documents switch
        {
            [] => [],
            [{ RootNode: YamlMappingNode mapping }] => mapping,
            [{ RootNode: var other }] => throw new SettingsException(file, other.Start.Line, "must be fields and their values, such as 'rate: 100'."),
            [_, var second, ..] => throw new SettingsException(file, second.RootNode.Start.Line, "has a second document: there must be one."),
        };
    }

    private static SimulatorSettings ReadDestination(SettingsSection root, SimulatorSettings settings)
    {
        if (root.Section("destination") is not { } destination)
            return settings;
        var target = destination.OneOf<SimulatorTarget>("target");
        var url = destination.Text("url");
        if (url is not null && !(Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https"))
            throw destination.Fault("url", $"is '{url}': it must be an address such as http://localhost:8080.");
        settings = settings with
        {
            Target = target,
            Url = url is null ? null : new(url),
            File = destination.Text("file"),
            BatchSize = (int)(destination.Integer("batch_size", 1, Traffic.MaxBatch) ?? settings.BatchSize),
        };
        destination.RejectUnknown();
        return settings;
    }

    private static SimulatorSettings ReadEventTime(SettingsSection root, SimulatorSettings settings)
    {
        if (root.Section("event_time") is not { } time)
            return settings;
        var start = time.Text("start");
        DateTimeOffset moment = default;
        if (start is not (null or "now") && !TryMoment(start, out moment))
            throw time.Fault("start", $"is '{start}': it must be 'now' or a moment such as 2025-12-01T00:00:00Z.");
        settings = settings with
        {
            FollowClock = start == "now",
            Start = start is null or "now" ? null : moment,
            EventTimeRate = time.Number("rate", 0.001, MostRate) ?? settings.EventTimeRate,
        };
        time.RejectUnknown();
        return settings;
    }

    /// <summary>RFC 3339 or a date; without an offset it is UTC.</summary>
    public static bool TryMoment(string text, out DateTimeOffset moment) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out moment)
        && moment.Year is >= 1970 and <= 2200 && char.IsAsciiDigit(text[0]) && text.Length >= "2025-12-01".Length;

    private static double[]? Hours(SettingsSection root)
    {
        const string name = "hours_of_day";
        if (root.Find(name) is not { } node)
            return null;
        if (node is not YamlSequenceNode { Children.Count: 24 } sequence)
            throw root.Fault(name, "must be a list of 24 shares, from midnight UTC.");
        var hours = new double[24];
        for (var i = 0; i < hours.Length; i++)
        {
            if (sequence[i] is not YamlScalarNode { Value: { } text } || !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out hours[i]) || hours[i] is not (>= 0 and <= 1))
                throw root.Fault(sequence[i], $"{name}[{i}] must be a share from 0 to 1.");
        }

        root.CheckSum(name, hours);
        return hours;
    }

    private static void CheckRefunds(SettingsSection root, SimulatorSettings settings)
    {
        var (refunded, completed) = (Part("refunded"), Part("completed"));
        if (refunded > completed)
            throw root.Fault("payment_statuses", string.Create(CultureInfo.InvariantCulture, $"has more refunded ({refunded}) than completed ({completed}): each refund needs its payment."));
        if (completed == 0 && settings.Violations.GetValueOrDefault(ViolationPattern.StatusMismatch) > 0)
            throw root.Fault("payment_statuses", "needs completed payments for violations.business_rules.status_mismatch.");

        double Part(string status) => settings.PaymentStatuses.Where(s => s.Name == status).Sum(s => s.Part);
    }

    private static string? StatusFault(string name) => Statuses.Contains(name) ? null : $"is not a status; there are {string.Join(", ", Statuses)}.";

    private static string? CountryFault(string name) => name.Length == 2 && name.All(char.IsAsciiLetterUpper) ? null : "is not a country: two capital letters (ISO 3166-1).";
}

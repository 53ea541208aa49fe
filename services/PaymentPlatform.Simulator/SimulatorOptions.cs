using System.ComponentModel.DataAnnotations;

namespace PaymentPlatform.Simulator;

/// <summary>Section <c>Simulator</c>: the traffic that the service makes.</summary>
public sealed class SimulatorOptions : IValidatableObject
{
    public const string Section = "Simulator";

    /// <summary>Stream or Http.</summary>
    public SimulatorTarget Target { get; set; } = SimulatorTarget.Stream;

    /// <summary>Events a second; 0 is off.</summary>
    [Range(0, 1_000_000, ErrorMessage = "Simulator:Rate must lie between 0 (off) and 1000000 events a second.")]
    public double Rate { get; set; } = 50;

    /// <summary>Where ingest listens, for the target Http.</summary>
    public Uri Url { get; set; } = new("http://localhost:8080");

    /// <summary>A key with the role ingest, for the target Http; sent as X-Api-Key.</summary>
    [DataType(DataType.Password), RegularExpression("[!-~]*", ErrorMessage = "Simulator:ApiKey must be printable ASCII characters without spaces.")]
    public string? ApiKey { get; set; }

    /// <summary>A settings file such as simulator.yaml, read again when it changes: what the traffic is like. Rate and target stay those of this section.</summary>
    public string? Config { get; set; }

    /// <summary>Share of events that ingest refuses; taken only by the target Stream. With <see cref="Config"/> that file's violations count instead.</summary>
    [Range(0d, 1d, ErrorMessage = "Simulator:InvalidShare must lie between 0 and 1.")]
    public double InvalidShare { get; set; } = 0.01;

    /// <summary>How many customers there are.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Simulator:Customers must lie between 1 and 1000000.")]
    public int Customers { get; set; } = 20_000;

    /// <summary>How many merchants there are.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Simulator:Merchants must lie between 1 and 1000000.")]
    public int Merchants { get; set; } = 2_000;

    /// <summary>The same seed makes the same payments; a new one each start when it is not set.</summary>
    public long? Seed { get; set; }

    /// <summary>How often events go out: each time those that are due since.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:10", ErrorMessage = "Simulator:BatchInterval must lie between 00:00:00.001 and 00:00:10.")]
    public TimeSpan BatchInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Target is not (SimulatorTarget.Stream or SimulatorTarget.Http))
            yield return new($"Simulator:Target is {Target}: the service sends to Stream or Http; ./platform simulate also writes files.");
        if (!Url.IsAbsoluteUri)
            yield return new($"Simulator:Url is '{Url}': it must be an absolute address such as http://localhost:8080.");
        if (Config is not null && FaultOf(Config) is { } fault)
            yield return new($"Simulator:Config: {fault}");
    }

    /// <summary>What the traffic is like.</summary>
    /// <exception cref="SettingsException">The file can't be taken.</exception>
    internal SimulatorSettings ReadSettings() => Config is not null
        ? SettingsReader.ReadFile(Config)
        : (SimulatorSettings.Default with { Customers = Customers, Merchants = Merchants }).WithInvalidShare(InvalidShare);

    private static string? FaultOf(string file)
    {
        try
        {
            SettingsReader.ReadFile(file);
            return null;
        }
        catch (SettingsException exception)
        {
            return exception.Message;
        }
    }
}

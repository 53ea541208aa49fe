using System.Text;
using System.Text.Json;

namespace PaymentPlatform.Simulator.Tests;

/// <summary>A run with the shipped settings, seed 42, written once as people do it.</summary>
public sealed class ShippedTraffic : IAsyncLifetime
{
    public const int Total = 300_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("simulator").FullName;

    public static string SettingsFile { get; } = Path.Combine(AppContext.BaseDirectory, "simulator.yaml");

    public IReadOnlyList<CheckedEvent> Events { get; private set; } = [];

    /// <summary>Event numbers by pattern, as the truth file has them.</summary>
    public ILookup<string, TruthLine> Truth { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var (events, truth) = (Path.Combine(_folder, "events"), Path.Combine(_folder, "truth"));
        Assert.Equal(0, await SimulateCommand.RunAsync(
            new() { Config = SettingsFile, Target = SimulatorTarget.File, Out = events, Truth = truth, Total = Total, Seed = 42 }, TestContext.Current.CancellationToken));
        var checker = new EventChecker();
        Events = [.. File.ReadLines(events).Select((line, i) => checker.Read(i + 1, Encoding.UTF8.GetBytes(line)))];
        Truth = File.ReadLines(truth).Select(line => JsonSerializer.Deserialize<TruthLine>(line, (JsonSerializerOptions?)null)!).ToLookup(t => t.pattern);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}

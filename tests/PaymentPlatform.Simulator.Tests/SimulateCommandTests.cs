using System.Text;
using System.Text.Json;
using PaymentPlatform.Events;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Simulator.Tests;

/// <summary>To files, as people use it.</summary>
public sealed class SimulateCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("simulate").FullName;

    [Fact]
    public async Task Run_SameSeed_SameBytesWhateverTheRateAndTheMoment()
    {
        await RunAsync(new() { Config = ShippedTraffic.SettingsFile, Out = At("a"), Truth = At("a.truth"), Total = 3_000, Seed = 7 });
        await RunAsync(new() { Config = ShippedTraffic.SettingsFile, Out = At("b"), Truth = At("b.truth"), Total = 3_000, Seed = 7, Rate = 2_500 });
        await RunAsync(new() { Config = ShippedTraffic.SettingsFile, Out = At("c"), Total = 3_000, Seed = 8 });

        Assert.Equal(File.ReadAllBytes(At("a")), File.ReadAllBytes(At("b")));
        Assert.Equal(File.ReadAllBytes(At("a.truth")), File.ReadAllBytes(At("b.truth")));
        Assert.NotEmpty(File.ReadAllBytes(At("a.truth")));
        Assert.NotEqual(File.ReadAllBytes(At("a")), File.ReadAllBytes(At("c")));
    }

    [Fact]
    public async Task Run_ShorterRun_IsTheBeginningOfTheLonger()
    {
        await RunAsync(new() { Config = ShippedTraffic.SettingsFile, Out = At("long"), Total = 4_321, Seed = 7 });
        await RunAsync(new() { Config = ShippedTraffic.SettingsFile, Out = At("short"), Total = 1_234, Seed = 7 });

        Assert.Equal(File.ReadLines(At("long")).Take(1_234), File.ReadLines(At("short")));
    }

    [Fact]
    public async Task Run_Start_IsTheFirstEventsTime()
    {
        await RunAsync(new() { Out = At("a"), Total = 2, Seed = 7, Start = new(2024, 2, 29, 10, 0, 0, TimeSpan.Zero) });

        Assert.Equal(["2024-02-29T10:00:00.000000Z", "2024-02-29T10:00:00.010000Z"], File.ReadLines(At("a")).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("transaction_timestamp").GetString()));
    }

    [Fact]
    public async Task Run_FollowClock_IsNow()
    {
        var before = DateTimeOffset.UtcNow;
        await RunAsync(new() { Out = At("a"), Total = 10, Seed = 7, FollowClock = true });

        Assert.All(File.ReadLines(At("a")), l => Assert.InRange(JsonDocument.Parse(l).RootElement.GetProperty("transaction_timestamp").GetDateTimeOffset(), before.AddMilliseconds(-1), DateTimeOffset.UtcNow));
    }

    [Fact]
    public async Task Run_Duration_Ends()
    {
        await RunAsync(new() { Config = Settings("rate: 1000\nduration: 1s"), Out = At("a") });

        Assert.InRange(File.ReadLines(At("a")).Count(), 200, 1_100);
    }

    [Fact]
    public async Task Run_TotalAndFileInTheSettings_AreTaken()
    {
        var config = Settings($"total: 77\nseed: 3\ndestination: {{ target: file, file: '{At("out")}', batch_size: 10 }}");

        Assert.Equal(0, await SimulateCommand.RunAsync(new() { Config = config }, TestContext.Current.CancellationToken));

        Assert.Equal(77, File.ReadLines(At("out")).Count());
    }

    [Fact]
    public async Task Run_Marked_EventsNameTheirViolation()
    {
        await RunAsync(new() { Config = Settings("violations: { mark: true, kyc: 0.3 }"), Out = At("a"), Truth = At("truth"), Total = 2_000, Seed = 7 });

        var marked = File.ReadLines(At("a")).SelectMany(l => JsonDocument.Parse(l).RootElement is var e && e.GetProperty("compliance_violations") is { } marks && marks.GetArrayLength() > 0
            ? [(e.GetProperty("transaction_id").GetString(), marks[0].GetString())] : Array.Empty<(string?, string?)>());
        Assert.Equal(File.ReadLines(At("truth")).Select(l => JsonSerializer.Deserialize<TruthLine>(l)!).Select(t => (t.transaction_id, (string?)t.pattern)), marked);
    }

    [Fact]
    public async Task Run_SettingsChange_TheTrafficChangesFromABatchOn()
    {
        var config = Settings("currencies: { USD: 1 }");
        using var stop = new CancellationTokenSource();
        var run = SimulateCommand.RunAsync(new() { Config = config, Target = SimulatorTarget.File, Out = At("a"), Rate = 500 }, stop.Token);
        await Eventually.TrueAsync(() => Currencies().Contains("USD"), "an event in USD");

        File.WriteAllText(config, "currencies: { EUR: 1 }");
        await Eventually.TrueAsync(() => Currencies().Contains("EUR"), "an event in EUR");
        File.WriteAllText(config, "currencies: { CAD: 1 }\n");
        await Eventually.TrueAsync(() => Currencies().Contains("CAD"), "an event in CAD");

        await stop.CancelAsync();
        Assert.Equal(0, await run);
        // Each change is a cut; earlier payments go on as they began.
        var all = File.ReadLines(At("a")).Select(l => JsonDocument.Parse(l).RootElement).DistinctBy(e => e.GetProperty("transaction_id").GetString()).Select(e => e.GetProperty("currency").GetString()).ToList();
        Assert.Equal(3, all.Where((c, i) => i == 0 || c != all[i - 1]).Count());

        HashSet<string> Currencies()
        {
            if (!File.Exists(At("a")))
                return [];
            using var reader = new StreamReader(new FileStream(At("a"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return [.. reader.ReadToEnd().Split("\"currency\": \"").Skip(1).Where(s => s.Length > 3).Select(s => s[..3])];
        }
    }

    [Fact]
    public void Write_ValidOnly_EveryEventPassesIngestAndTheRestIsPlanted()
    {
        var generator = new TransactionGenerator(SettingsReader.ReadFile(ShippedTraffic.SettingsFile), seed: 3, validOnly: true);
        var parser = new TransactionParser(new());
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        var planted = 0;
        for (var i = 0; i < 50_000; i++)
        {
            output.ResetWrittenCount();
            planted += generator.Write(output, 1_765_000_000_000_000 + i * 10_000L).Pattern == ViolationPattern.None ? 0 : 1;
            Assert.True(parser.Parse(output.WrittenMemory, 1_765_100_000_000_000).IsValid, Encoding.UTF8.GetString(output.WrittenSpan));
        }

        // 13 % without 5 % of data quality and 0.3 % of card numbers.
        Assert.Equal(0.077, planted / 50_000.0, 0.01);
        Assert.Equal(6, generator.Profile.LeftOut.Count);
    }

    /// <summary>Slower than the groups need: their events come late, with the times that were planned, and are still what they say.</summary>
    [Fact]
    public void Write_OneEventASecond_GroupsKeepTheirTimes()
    {
        var generator = new TransactionGenerator(SettingsReader.Read("violations: { aml: { rapid_fire: 0.3, structuring: 0.2 } }", "test.yaml"), seed: 3);
        var checker = new EventChecker();
        var groups = new Dictionary<(ViolationPattern, long), List<long>>();
        var events = new List<CheckedEvent>();
        for (var i = 1; i <= 20_000; i++)
        {
            var output = new System.Buffers.ArrayBufferWriter<byte>(2_048);
            var written = generator.Write(output, 1_765_000_000_000_000 + i * 1_000_000L);
            events.Add(checker.Read(i, output.WrittenSpan.ToArray()));
            if (written.Group > 0)
                (System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(groups, (written.Pattern, written.Group), out _) ??= []).Add(i);
        }

        var matches = EventChecker.Matches(events);
        foreach (var pattern in new[] { ViolationPattern.RapidFire, ViolationPattern.Structuring })
        {
            var planted = groups.Where(g => g.Key.Item1 == pattern && g.Value.Count >= ViolationPatterns.Smallest(pattern)).SelectMany(g => g.Value).ToList();
            Assert.Equal(planted.Order(), matches[ViolationPatterns.Name(pattern)].Order());
            Assert.Equal(pattern == ViolationPattern.RapidFire ? 0.3 : 0.2, planted.Count / 20_000.0, 0.06);
        }
    }

    [Fact]
    public void Write_EveryEvent_ItsKeyIsTheCustomerElseTheTransaction()
    {
        var generator = new TransactionGenerator(SettingsReader.Read("violations: { kyc: { missing_customer_id: 0.5 }, data_quality: { missing_transaction_id: 0.2 } }", "test.yaml"), seed: 3);
        for (var i = 0; i < 2_000; i++)
        {
            var output = new System.Buffers.ArrayBufferWriter<byte>(2_048);
            var written = generator.Write(output, 1_765_000_000_000_000);
            var json = JsonDocument.Parse(output.WrittenMemory).RootElement;
            var id = json.TryGetProperty("transaction_id", out var value) ? value.GetString() : "";

            Assert.Equal(id, Encoding.UTF8.GetString(output.WrittenSpan[written.Id]));
            Assert.Equal(json.GetProperty("customer_id").GetString() ?? id, Encoding.UTF8.GetString(output.WrittenSpan[written.Key]));
        }
    }

    /// <summary>A customer's normal rate stays below rapid fire, also where a pool is far too small for the rate.</summary>
    [Fact]
    public void Write_AHundredThousandEventsInASecond_NobodyFiresRapidly()
    {
        var generator = new TransactionGenerator(SimulatorSettings.Default with { Customers = 50 }, seed: 3);
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        var customers = new Dictionary<string, int>();
        for (var i = 0; i < 100_000; i++)
        {
            output.ResetWrittenCount();
            var written = generator.Write(output, 1_765_000_000_000_000 + i * 10L);
            System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(customers, Encoding.UTF8.GetString(output.WrittenSpan[written.Key]), out _)++;
        }

        Assert.InRange(customers.Values.Max(), 2, 99);
    }

    [Theory]
    [InlineData("rate: fast")]
    [InlineData("payment_methods: { credit_card: 0.9 }")]
    public async Task Run_WrongSettings_Exit2(string yaml) => Assert.Equal(2, await SimulateCommand.RunAsync(new() { Config = Settings(yaml), Target = SimulatorTarget.File, Out = At("a"), Total = 1 }, TestContext.Current.CancellationToken));

    [Fact]
    public async Task Run_OneFileForTwo_Exit2() =>
        Assert.Equal(2, await SimulateCommand.RunAsync(new() { Target = SimulatorTarget.File, Out = At("a"), Truth = At("a"), Total = 1 }, TestContext.Current.CancellationToken));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private string Settings(string yaml)
    {
        File.WriteAllText(At("settings.yaml"), yaml);
        return At("settings.yaml");
    }

    private static async Task RunAsync(SimulateOptions options) =>
        Assert.Equal(0, await SimulateCommand.RunAsync(options with { Target = SimulatorTarget.File }, TestContext.Current.CancellationToken));
}

using PaymentPlatform.Bench.Rules;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.Bench.Inputs;

/// <summary>A temporary file of simulated events, one a line, with planted violations: the same ones in every run. Deleted at the end.</summary>
internal sealed class EventFile : IDisposable
{
    private const int BatchSize = 5_000;

    public EventFile(int count)
    {
        Count = count;
        var generator = new TransactionGenerator(SettingsReader.ReadFile(RulesBenchmark.SettingsFile), seed: 42);
        var clock = new EventClock(SimulatorSettings.FixedStart);
        var batch = new EventBatch();
        using var stream = File.Create(Path);
        for (var made = 0; made < count; made += BatchSize)
        {
            var size = Math.Min(BatchSize, count - made);
            batch.Fill(generator, size, 1 + made, clock, 0);
            for (var i = 0; i < size; i++)
            {
                stream.Write(batch.Line(i).Span);
                stream.WriteByte((byte)'\n');
            }
        }

        BytesPerEvent = (double)stream.Length / count;
    }

    /// <summary>A time after all events, microseconds since the Unix epoch.</summary>
    public static long LaterMicros { get; } = SimulatorSettings.FixedStart.AddYears(1).ToUnixTimeMilliseconds() * 1_000;

    public int Count { get; }

    public double BytesPerEvent { get; }

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"platform-bench-{Guid.NewGuid():N}.ndjson");

    public void Dispose() => File.Delete(Path);
}

using System.Text.Json;
using BenchmarkDotNet.Attributes;
using PaymentPlatform.Events;

namespace PaymentPlatform.Bench.Parse;

/// <summary>Parse, validate and guard, against System.Text.Json's serializer, which only fills an object.</summary>
[MemoryDiagnoser]
public class ParseBenchmark
{
    public const int EventCount = 1000;

    private byte[][] _events = [];
    private TransactionParser _reject = new(new TransactionParserOptions());
    private TransactionParser _mask = new(new TransactionParserOptions());

    /// <summary>The file to take events from; null for generated ones.</summary>
    public static string? DataFile { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _events = SampleEvents.Load(DataFile, EventCount);
        _reject = new TransactionParser(new TransactionParserOptions { CardData = CardDataMode.Reject });
        _mask = new TransactionParser(new TransactionParserOptions { CardData = CardDataMode.Mask });
        if (Parse(_reject) != EventCount || Parse(_mask) != EventCount)
            throw new InvalidOperationException("The benchmark needs valid events.");
    }

    [Benchmark(OperationsPerInvoke = EventCount, Description = "parse, cards rejected")]
    public int Reject() => Parse(_reject);

    [Benchmark(OperationsPerInvoke = EventCount, Description = "parse, cards masked")]
    public int Mask() => Parse(_mask);

    [Benchmark(OperationsPerInvoke = EventCount, Baseline = true, Description = "JsonSerializer")]
    public int Serializer()
    {
        var found = 0;
        foreach (var payload in _events)
            found += JsonSerializer.Deserialize<PlainTransaction>(payload)!.transaction_id is null ? 0 : 1;
        return found;
    }

    private int Parse(TransactionParser parser)
    {
        var valid = 0;
        foreach (var payload in _events)
            valid += parser.Parse(payload, SampleEvents.EnqueuedAtMicros).IsValid ? 1 : 0;
        return valid;
    }
}

using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Metrics;

namespace PaymentPlatform.Metrics.Tests;

public sealed class FigureAccumulatorTests
{
    [Fact]
    public void Add_RandomEvents_EqualsTheDecimalModel()
    {
        var random = new Random(1208);
        for (var i = 0; i < 100; i++)
        {
            var payloads = Enumerable.Range(0, random.Next(300)).Select(_ => TestEvents.Next(random)).ToList();
            Assert.Equal(TestEvents.Figures(payloads), Figures(payloads));
        }
    }

    [Fact]
    public void Add_LargestAmounts_SumsExactly()
    {
        var payload = Encoding.UTF8.GetBytes(TestEvents.Event("t", TestEvents.Enqueued, "999999999999999.9999"));
        var row = Assert.Single(Rows(Enumerable.Repeat(payload, 20_000)));

        Assert.Equal(20_000, row.Count);
        Assert.Equal(20_000 * 999999999999999.9999m, MetricsWriter.ToDecimal(row.TotalScaled));
        Assert.Equal(999999999999999.9999m, MetricsWriter.ToDecimal(row.MinScaled));
        Assert.Equal(999999999999999.9999m, MetricsWriter.ToDecimal(row.MaxScaled));
    }

    [Fact]
    public void Add_KnownKeys_AllocatesNothing()
    {
        var random = new Random(1);
        var parser = new TransactionParser(new());
        var accumulator = new FigureAccumulator();
        var results = Enumerable.Range(0, 1_000).Select(_ => TestEvents.Next(random)).Where(p => new TransactionParser(new()).Parse(p, TestEvents.EnqueuedMicros).IsValid).ToArray();
        void Run()
        {
            foreach (var payload in results)
                accumulator.Add(parser.Parse(payload, TestEvents.EnqueuedMicros).Transaction, TestEvents.EnqueuedMicros, (ulong)payload.Length);
        }

        // Samples of windows grow to their bound.
        for (var i = 0; i < 30; i++)
        {
            Run();
            accumulator.Clear();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Clear_UsedAgain_StartsFromNothing()
    {
        var parser = new TransactionParser(new());
        var accumulator = new FigureAccumulator();
        var payload = Encoding.UTF8.GetBytes(TestEvents.Event("t", TestEvents.Enqueued, "2.5"));
        for (var i = 0; i < 3; i++)
        {
            accumulator.Clear();
            accumulator.Add(parser.Parse(payload, TestEvents.EnqueuedMicros).Transaction, TestEvents.EnqueuedMicros, (ulong)payload.Length);
        }

        Assert.Equal(25_000, Assert.Single(accumulator.Rows()).TotalScaled);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Add_FailsHalfWay_NothingIsCounted(int before)
    {
        var parser = new TransactionParser(new());
        var accumulator = new FigureAccumulator();
        ParsedTransaction Parse() => parser.Parse(Encoding.UTF8.GetBytes(TestEvents.Event("t", TestEvents.Enqueued, "2.5")), TestEvents.EnqueuedMicros).Transaction;
        for (var i = 0; i < before; i++)
            accumulator.Add(Parse(), TestEvents.EnqueuedMicros, 1);
        var broken = Parse();
        // No parser gives this: it stands for any fault of the sketches.
        typeof(ParsedTransaction).GetProperty(nameof(ParsedTransaction.AmountScaled))!.SetValue(broken, (Int128)(-1));

        Assert.Throws<ArgumentOutOfRangeException>(() => accumulator.Add(broken, TestEvents.EnqueuedMicros, 2));

        Assert.Equal(Enumerable.Repeat((1L, (Int128)25_000, (Int128)25_000), before), accumulator.Rows().Select(r => (r.Count, r.TotalScaled, r.MinScaled)));
        Assert.Equal(before, accumulator.KeyCount);
        Assert.All(accumulator.Delta.Histograms(), h => Assert.Equal(before, h.Sketch.Count));
    }

    private static List<Figure> Figures(IEnumerable<byte[]> payloads) =>
    [
        .. Rows(payloads).Select(r => new Figure(
            DateTime.UnixEpoch.AddMicroseconds(r.WindowStart), r.PaymentMethod, r.Currency, r.PaymentStatus, r.Count,
            MetricsWriter.ToDecimal(r.TotalScaled), MetricsWriter.ToDecimal(r.MinScaled), MetricsWriter.ToDecimal(r.MaxScaled))).Order(),
    ];

    private static List<FigureRow> Rows(IEnumerable<byte[]> payloads)
    {
        var parser = new TransactionParser(new());
        var accumulator = new FigureAccumulator();
        foreach (var payload in payloads)
        {
            var result = parser.Parse(payload, TestEvents.EnqueuedMicros);
            if (result.IsValid)
                accumulator.Add(result.Transaction, TestEvents.EnqueuedMicros, 1);
        }

        return [.. accumulator.Rows()];
    }
}

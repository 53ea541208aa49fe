using System.Buffers;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Events;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.Simulator.Tests;

public sealed class TransactionGeneratorTests
{
    private const long Now = 1_765_000_000_123_456;

    [Fact]
    public void Write_SameSeed_SameBytes()
    {
        Assert.Equal(Lines(7, 2_000), Lines(7, 2_000));
        Assert.NotEqual(Lines(7, 10), Lines(8, 10));
    }

    [Fact]
    public void Write_ManyEvents_AllValidAndAboutAKilobyte()
    {
        var parser = new TransactionParser(new());
        var sizes = new List<int>();
        foreach (var line in Lines(1, 50_000))
        {
            var bytes = Encoding.UTF8.GetBytes(line);
            var result = parser.Parse(bytes, Now);
            Assert.True(result.IsValid, $"{line}: {string.Join("; ", result.Errors.Select(e => e.Message))}");
            Assert.Equal(Now, result.Transaction.TransactionTimestampMicros);
            sizes.Add(bytes.Length);
        }

        Assert.InRange(sizes.Min(), 900, 1_100);
        Assert.InRange(sizes.Max(), 900, 1_100);
    }

    [Fact]
    public void Write_ManyEvents_HaveTheSampleShape()
    {
        string[] sample = [.. Names(JsonDocument.Parse(File.ReadLines(Path.Combine(AppContext.BaseDirectory, "sample.jsonl")).First()).RootElement)];
        Assert.All(Lines(3, 2_000), line => Assert.Equal(sample, Names(JsonDocument.Parse(line).RootElement)));
    }

    [Fact]
    public void Write_InvalidShare_MarksExactlyWhatTheParserRefuses()
    {
        var parser = new TransactionParser(new());
        var generator = new TransactionGenerator(5, invalidShare: 0.2);
        var constraints = new HashSet<string>();
        var invalid = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var output = new ArrayBufferWriter<byte>();
            var written = generator.Write(output, Now);
            var result = parser.Parse(output.WrittenMemory, Now);
            Assert.Equal(written.IsValid, result.IsValid);
            Assert.Equal(written.Length, output.WrittenCount);
            invalid += written.IsValid ? 0 : 1;
            constraints.UnionWith(result.Errors.Select(e => e.Constraint));
        }

        Assert.InRange(invalid, 3_700, 4_300);
        Assert.Superset(
            new HashSet<string> { Constraints.AmountPositive, Constraints.Currency, Constraints.Status, Constraints.TimestampFuture, Constraints.Required, Constraints.Json },
            constraints);
    }

    [Fact]
    public void Write_ManyEvents_PaymentsGoOnUnderTheirOwnId()
    {
        var payments = Lines(11, 200_000).Select(line => JsonDocument.Parse(line).RootElement)
            .Select(e => (Id: e.GetProperty("transaction_id").GetString(), Status: e.GetProperty("payment_status").GetString(), Customer: e.GetProperty("customer_id").GetString(), Amount: e.GetProperty("amount").GetRawText()))
            .GroupBy(e => e.Id).Where(g => g.Count() > 1).ToList();

        Assert.NotEmpty(payments);
        Assert.All(payments, p => Assert.Single(p.Select(e => (e.Customer, e.Amount)).Distinct()));
        var courses = payments.Select(p => string.Join(">", p.Select(e => e.Status))).ToHashSet();
        Assert.Superset(new HashSet<string> { "pending>completed", "pending>declined", "completed>refunded" }, courses);
        Assert.Subset(new HashSet<string> { "pending>completed", "pending>declined", "completed>refunded", "pending>completed>refunded" }, courses);
    }

    [Fact]
    public void Write_SteadyState_AllocatesNothing()
    {
        var generator = new TransactionGenerator(1);
        var output = new ArrayBufferWriter<byte>(1 << 16);
        void Run(int count)
        {
            for (var i = 0; i < count; i++)
            {
                output.ResetWrittenCount();
                generator.Write(output, Now + i);
            }
        }

        Run(50_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(50_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    internal static List<string> Lines(long seed, int count)
    {
        var generator = new TransactionGenerator(seed);
        var output = new ArrayBufferWriter<byte>();
        var lines = new List<string>();
        for (var i = 0; i < count; i++)
        {
            output.ResetWrittenCount();
            generator.Write(output, Now);
            lines.Add(Encoding.UTF8.GetString(output.WrittenSpan));
        }

        return lines;
    }

    private static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject()
        .SelectMany(p => p.Value.ValueKind == JsonValueKind.Object ? Names(p.Value).Select(n => $"{p.Name}.{n}").Prepend(p.Name) : [p.Name]);
}

using System.Text;

namespace PaymentPlatform.Events.Tests;

/// <summary>Real events as the original simulator wrote them.</summary>
public sealed class SharedDataTests
{
    [Theory]
    [InlineData(CardDataMode.Reject)]
    [InlineData(CardDataMode.Mask)]
    public void Parse_RealEvents_AreAllValidAndUnchanged(CardDataMode cards)
    {
        var lines = Lines();
        var parser = new TransactionParser(new TransactionParserOptions { CardData = cards });
        Assert.NotEmpty(lines);
        foreach (var line in lines)
        {
            var result = parser.Parse(Encoding.UTF8.GetBytes(line), Event.Micros("2026-06-01"));

            Assert.Empty(result.Errors);
            Assert.False(result.IsMasked);
            Assert.Contains($"\"transaction_id\": \"{result.Transaction.TransactionId}\"", line, StringComparison.Ordinal);
            Assert.Contains($"\"metadata\": {result.Transaction.Metadata}, \"compliance_violations\": {result.Transaction.ComplianceViolations}", line, StringComparison.Ordinal);
            Assert.Equal(SlowModel.Errors(line, Event.Micros("2026-06-01")), []);
        }
    }

    private static string[] Lines()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "shared", "data", "transactions.jsonl");
            if (File.Exists(file))
                return File.ReadAllLines(file);
        }

        using var embedded = new StreamReader(typeof(SharedDataTests).Assembly.GetManifestResourceStream("sample-events.jsonl")!);
        return embedded.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}

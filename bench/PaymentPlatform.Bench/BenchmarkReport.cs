using System.Text.Json;

namespace PaymentPlatform.Bench;

/// <summary>The rows as a table for people and as the contract's JSON for programs.</summary>
internal static class BenchmarkReport
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static void Print(IReadOnlyList<BenchmarkRow> rows, TextWriter output)
    {
        output.WriteLine($"{"",-44} {"ours",14} {"peer or target",14} {"ratio",7}  unit");
        foreach (var row in rows)
            output.WriteLine($"{row.Name,-44} {row.Ours,14:N1} {row.Peer,14:N1} {row.Ratio,7:0.00}  {row.Unit}");
    }

    public static void Save(IReadOnlyList<BenchmarkRow> rows, string file) =>
        File.WriteAllText(file, JsonSerializer.Serialize(rows, Options) + Environment.NewLine);
}

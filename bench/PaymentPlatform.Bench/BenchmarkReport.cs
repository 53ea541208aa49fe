using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using DuckDB.NET.Data;
using Npgsql;

namespace PaymentPlatform.Bench;

/// <summary>The rows as a table for people and as the contract's JSON for programs.</summary>
internal static class BenchmarkReport
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>What the figures were measured on.</summary>
    public static void PrintHeader(TextWriter output)
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd HH:mm}Z  {Environment.ProcessorCount} cores {RuntimeInformation.ProcessArchitecture}, {memory} GB, {RuntimeInformation.OSDescription}"));
        output.WriteLine($"{RuntimeInformation.FrameworkDescription}, {Name(typeof(DuckDBConnection).Assembly)}, {Name(typeof(NpgsqlConnection).Assembly)}");
    }

    public static void Print(IReadOnlyList<BenchmarkRow> rows, TextWriter output)
    {
        output.WriteLine($"{"",-76} {"ours",14} {"peer or target",14} {"ratio",7}  unit");
        foreach (var row in rows)
            output.WriteLine($"{row.Name,-76} {row.Ours,14:N1} {row.Peer,14:N1} {row.Ratio,7:0.00}  {row.Unit}");
    }

    public static void Save(IReadOnlyList<BenchmarkRow> rows, string file) =>
        File.WriteAllText(file, JsonSerializer.Serialize(rows, Options) + Environment.NewLine);

    private static string Name(Assembly assembly) => $"{assembly.GetName().Name} {assembly.GetName().Version?.ToString(3)}";
}

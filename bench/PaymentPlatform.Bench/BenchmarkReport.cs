using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.Bench.Inputs;

namespace PaymentPlatform.Bench;

/// <summary>The rows as a table for people and as the contract's JSON for programs.</summary>
internal static class BenchmarkReport
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>What the figures were measured on, and with.</summary>
    /// <param name="command">The benchmark and its options, as they were given.</param>
    public static void PrintHeader(IEnumerable<string> command, TextWriter output)
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd HH:mm}Z  {Environment.ProcessorCount} cores {RuntimeInformation.ProcessArchitecture} ({Processor()}), {memory} GB, {RuntimeInformation.OSDescription}; load before {Load()}"));
        output.WriteLine($"{RuntimeInformation.FrameworkDescription}, DuckDB {DuckDb()}, {Name(typeof(NpgsqlConnection).Assembly)}; {Servers()}");
        output.WriteLine($"bench {string.Join(' ', command)}; events of the simulator, about 1 kB each, fixed seeds, unless --data says otherwise");
    }

    public static void Print(IReadOnlyList<BenchmarkRow> rows, TextWriter output)
    {
        output.WriteLine($"{"",-76} {"ours",14} {"peer or target",14} {"ratio",7}  unit");
        foreach (var row in rows)
            output.WriteLine($"{row.Name,-76} {row.Ours,14:N1} {row.Peer,14:N1} {row.Ratio,7:0.00}  {row.Unit}");
    }

    public static void Save(IReadOnlyList<BenchmarkRow> rows, string file) =>
        File.WriteAllText(file, JsonSerializer.Serialize(rows, Options) + Environment.NewLine);

    private static string Processor() => Line("/proc/cpuinfo", "model name")?.Split(": ")[^1] ?? "unknown";

    /// <summary>Of the last minute: other work on the machine makes figures worse.</summary>
    private static string Load() => Line("/proc/loadavg", "")?.Split(' ')[0] ?? "unknown";

    private static string? Line(string file, string start) => File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal)) : null;

    private static object? DuckDb()
    {
        using var duckDb = new SingleThreadDuckDb();
        return duckDb.Scalar("SELECT version()");
    }

    /// <summary>The packages that ./platform run installs.</summary>
    private static string Servers()
    {
        using var packages = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "node", "package.json")));
        return string.Join(", ", packages.RootElement.GetProperty("dependencies").EnumerateObject().Select(package => $"{package.Name} {package.Value}"));
    }

    private static string Name(Assembly assembly) => $"{assembly.GetName().Name} {assembly.GetName().Version?.ToString(3)}";
}
